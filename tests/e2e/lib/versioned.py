"""The tests' PostgreSQL under another version's number."""

import os
import shutil
import socket
import struct
import tempfile
import threading


class Versioned:
    """Listens in a directory of its own and passes all on, but for the version that the
    server tells at the start of a connection."""

    def __init__(self, version):
        self.version = version
        self.directory = tempfile.mkdtemp(prefix="daybook-version-", dir="/tmp")
        os.chmod(self.directory, 0o755)
        self.open = []
        self.listener = socket.socket(socket.AF_UNIX)
        path = os.path.join(self.directory, ".s.PGSQL.5432")
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen(64)
        self.threads = []
        self._start(self._serve)

    def become(self, version):
        """From now on, and for everyone: connections that there are end."""
        self.version = version
        while self.open:
            self._end(self.open.pop())

    def close(self):
        self._end(self.listener)
        self.threads[0].join()  # from here on there is no new one
        self.listener.close()
        self.become(self.version)
        for thread in self.threads:
            thread.join()
        shutil.rmtree(self.directory)

    def _start(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments)
        self.threads.append(thread)
        thread.start()
        return thread

    @staticmethod
    def _end(one):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was quicker

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(os.path.join(os.environ["DAYBOOK_TEST_PG"], ".s.PGSQL.5432"))
            self.open += [client, server]
            self._start(self._connect, client, server)

    def _connect(self, client, server):
        with client, server:
            other = threading.Thread(target=self._pass_on, args=(client, server))
            other.start()
            self._greet(server, client)
            other.join()

    def _greet(self, server, client):
        """Message by message as far as ReadyForQuery: from there on as it comes."""
        kind = None
        try:
            with server.makefile("rb", buffering=0) as stream:
                while kind != b"Z":
                    kind, body = self._message(stream)
                    if kind == b"S" and body.startswith(b"server_version\0"):
                        body = f"server_version\0{self.version}\0".encode()
                    client.sendall(kind + struct.pack(">i", len(body) + 4) + body)
        except (OSError, ValueError):
            self._end(client)
            return
        self._pass_on(server, client)

    @staticmethod
    def _message(stream):
        """Its kind and its body."""
        head = b""
        while len(head) < 5:
            head += stream.read(5 - len(head)) or _gone()
        body, length = b"", struct.unpack(">i", head[1:])[0] - 4
        while len(body) < length:
            body += stream.read(length - len(body)) or _gone()
        return head[:1], body

    def _pass_on(self, source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass  # broken off
        self._end(source)
        self._end(target)


def _gone():
    raise ValueError("the server has closed it")
