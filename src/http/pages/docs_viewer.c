#include "docs.h"

#include "page.h"
#include "viewer.h"

const struct page_file docs_page = {NULL, "text/html; charset=utf-8", page_docs_html,
                                    &page_docs_html_size};

const struct page_file docs_files[] = {
    {"docs.js", "text/javascript; charset=utf-8", page_docs_js, &page_docs_js_size},
    {"swagger-ui.css", "text/css; charset=utf-8", viewer_swagger_ui_css,
     &viewer_swagger_ui_css_size},
    {"swagger-ui-bundle.js", "text/javascript; charset=utf-8",
     viewer_swagger_ui_bundle_js, &viewer_swagger_ui_bundle_js_size},
    {"errors.md", "text/markdown; charset=utf-8", page_errors_md, &page_errors_md_size},
    {"routes.html", "text/html; charset=utf-8", page_routes_html,
     &page_routes_html_size},
    {"favicon-32x32.png", "image/png", page_favicon_32x32_png,
     &page_favicon_32x32_png_size},
    {0},
};
