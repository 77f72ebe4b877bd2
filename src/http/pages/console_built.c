#include "console_files.h"

#include "console.h"
#include "page.h"

const struct page_file console_page = {NULL, PAGE_HTML, console_index_html,
                                       &console_index_html_size};

const struct page_file console_files[] = {
    {"app.js", PAGE_SCRIPT, console_app_js, &console_app_js_size},
    {"app.css", PAGE_STYLE, console_app_css, &console_app_css_size},
    {"icon.svg", "image/svg+xml", page_icon_svg, &page_icon_svg_size},
    {0},
};
