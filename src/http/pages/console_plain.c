#include "console_files.h"

#include "page.h"

const struct page_file console_page = {NULL, PAGE_HTML, page_plain_html,
                                       &page_plain_html_size};

const struct page_file console_files[] = {
    {"icon.svg", "image/svg+xml", page_icon_svg, &page_icon_svg_size},
    {0},
};
