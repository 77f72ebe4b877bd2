/* notify.h - tells systemd how the service is doing (sd_notify's protocol: a datagram to
 * the socket that NOTIFY_SOCKET names). */
#ifndef DBK_TOOLS_NOTIFY_H
#define DBK_TOOLS_NOTIFY_H

/* Tell it lines like "READY=1". Where nobody asked to be told, or nobody listens, nothing
 * happens: that is no reason not to serve. */
void notify_manager(const char *state);

#endif
