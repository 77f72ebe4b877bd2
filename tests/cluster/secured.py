"""A broker that lets in who brings the user and the password, over TLS, and may do what its
ACLs say. Its CA is made here."""

import json
import os
import shutil
import subprocess
import tempfile

from brokers import Brokers, free_ports
from ended import ENDED
from harness import PATIENCE

USER, PASSWORD = "daybook", "hunter2"
LISTENER = "listener.name.sasl_ssl."
HERE = os.path.dirname(os.path.abspath(__file__))
# Kafka's own tool for it is in a package that nothing else here needs.
ALLOW = """
import kafkajs from 'kafkajs';
const [broker, user, rights] = process.argv.slice(-3);
const admin = new kafkajs.Kafka({brokers: [broker]}).admin();
await admin.connect();
await admin.createAcls({acl: JSON.parse(rights).flatMap(([kind, pattern, resourceName, operations]) =>
  operations.map((operation) => ({
    resourceType: kafkajs.AclResourceTypes[kind], resourceName, host: '*',
    resourcePatternType: kafkajs.ResourcePatternTypes[pattern], principal: 'User:' + user,
    operation: kafkajs.AclOperationTypes[operation],
    permissionType: kafkajs.AclPermissionTypes.ALLOW})))});
await admin.disconnect();
"""


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=PATIENCE)


def make_ca(folder, name):
    """A CA's certificate, and its key; their paths."""
    key, certificate = (os.path.join(folder, name + end) for end in (".key", ".pem"))
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             "/CN=" + name, "-keyout", key, "-out", certificate)
    return certificate, key


def _make_certificate(folder, ca, ca_key):
    """Of a broker at 127.0.0.1, with its key, as one file of PEM."""
    key, request, certificate, store, names = (
        os.path.join(folder, "broker" + end)
        for end in (".key", ".csr", ".crt", ".store.pem", ".names"))
    _openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker",
             "-keyout", key, "-out", request)
    with open(names, "w") as file:
        file.write("subjectAltName=IP:127.0.0.1\n")
    _openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
             "-days", "2", "-extfile", names, "-out", certificate)
    with open(store, "w") as file:
        for part in (key, certificate):
            with open(part) as found:
                file.write(found.read())
    return store


class Secured(Brokers):
    """One of them. Another listener, for this test alone, lets everybody in as who may do all."""

    def __init__(self):
        self.keys = tempfile.mkdtemp(prefix="daybook-keys-", dir="/var/tmp")
        self.ca, key = make_ca(self.keys, "ca")
        self.other_ca, _ = make_ca(self.keys, "another")
        port, controller, open_port = free_ports(3)
        self.open = f"127.0.0.1:{open_port}"
        super().__init__(1, ports=[port, controller], extra=[
            f"listeners=SASL_SSL://127.0.0.1:{port},OPEN://{self.open},"
            f"CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners=SASL_SSL://127.0.0.1:{port},OPEN://{self.open}",
            "listener.security.protocol.map=SASL_SSL:SASL_SSL,OPEN:PLAINTEXT,"
            "CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name=OPEN",
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512",
            LISTENER + "scram-sha-512.sasl.jaas.config="
            "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            "ssl.keystore.type=PEM",
            "ssl.keystore.location=" + _make_certificate(self.keys, self.ca, key),
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",
            self._plain(PASSWORD)])

    @staticmethod
    def _plain(password):
        return (LISTENER + "plain.sasl.jaas.config=org.apache.kafka.common.security.plain."
                f'PlainLoginModule required user_{USER}="{password}";')

    def set_password(self, password):
        """That of PLAIN, from a start on."""
        self.extra[-1] = self._plain(password)
        self._format()
        self.kill(1)
        self.start()

    @staticmethod
    def _run(*command):
        done = subprocess.run([*ENDED, *command], stdin=subprocess.DEVNULL, cwd=HERE,
                              capture_output=True, text=True, check=False, timeout=2 * PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr

    def allow(self, *rights):
        """(kind of thing, LITERAL or PREFIXED, its name, operations) each."""
        self._run("node", "--input-type=module", "-e", ALLOW, "--", self.open, USER,
                  json.dumps(rights))

    def know_by_scram(self):
        self.configure(self.open, "users", USER, f"SCRAM-SHA-512=[password={PASSWORD}]")

    def close(self):
        super().close()
        shutil.rmtree(self.keys, ignore_errors=True)
