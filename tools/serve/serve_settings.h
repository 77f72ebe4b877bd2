/* serve_settings.h - what the server is told of the settings, and of the parts it asks. */
#ifndef DBK_TOOLS_SERVE_SETTINGS_H
#define DBK_TOOLS_SERVE_SETTINGS_H

#include "serving.h"

/* What dbk_server_start is given, once all parts before it run. It borrows from the settings
 * and from serving, which have to outlive the server. */
struct dbk_server_options serve_server_options(const struct serving *serving);

#endif
