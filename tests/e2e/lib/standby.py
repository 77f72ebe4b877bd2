"""A streaming replica of a PostgreSQL of the tests', as Debian's programs make one."""

import os
import shutil
import subprocess

from postgres import Postgres, processes_in, programs


class Standby(Postgres):
    def __init__(self, primary):
        self.primary = primary
        super().__init__()

    def _run(self, *command):
        as_owner = {}
        if os.geteuid() == 0:
            owner = os.stat(self.primary.data)
            as_owner = dict(user=owner.st_uid, group=owner.st_gid, extra_groups=[])
        done = subprocess.run([os.path.join(programs(), command[0]), *command[1:]], cwd="/",
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False, **as_owner)
        assert done.returncode == 0, done.stderr

    def _script(self, action):
        """Made as any other, and then a copy of the primary's."""
        super()._script(action)
        if action == "stop":
            return
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self.data)
        self._run("pg_basebackup", "-h", self.primary.directory, "-U", "daybook", "-D",
                  self.data, "-R", "-X", "stream", "-c", "fast")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as file:
            file.write(f"unix_socket_directories = '{self.directory}'\n")
        self.start()

    def replay(self, on):
        """Whether what comes from the primary is shown."""
        self.sql("select pg_wal_replay_resume()" if on else "select pg_wal_replay_pause()")

    def shows(self, sequence, schema):
        return self.sql(f"select sequence >= {sequence} from {schema}.checkpoint") == "t"

    def alive(self):
        return bool(processes_in(self.data))
