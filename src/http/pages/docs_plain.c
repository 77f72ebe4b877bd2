#include "docs.h"

#include "page.h"

const struct page_file docs_page = {NULL, "text/html; charset=utf-8", page_routes_html,
                                    &page_routes_html_size};

const struct page_file docs_files[] = {
    {"errors.md", "text/markdown; charset=utf-8", page_errors_md, &page_errors_md_size},
    {"routes.html", "text/html; charset=utf-8", page_routes_html,
     &page_routes_html_size},
    {"favicon-32x32.png", "image/png", page_favicon_32x32_png,
     &page_favicon_32x32_png_size},
    {0},
};
