// Which of several servers leads. Null where the server is alone.
export function leaderOf(health) {
  if (!health?.role) return null;
  return {
    name: health.leader ?? "none",
    beside: health.role === "leader" ? "this server" : `this is ${health.node ?? "another"}, which ${health.state}`,
  };
}
