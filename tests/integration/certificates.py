"""An authority of our own and what it signs, by openssl."""

import shutil
import subprocess

import pytest

CA = """[ca]
default_ca = own
[own]
dir = .
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


class Authority:
    """.ca: the file that vouches for it."""

    def __init__(self, folder):
        if not shutil.which("openssl"):
            pytest.skip("there is no openssl")
        self.folder, self.signed = folder, set()
        folder.mkdir()
        (folder / "ca.cnf").write_text(CA)
        (folder / "index").touch()
        (folder / "serial").write_text("01")
        self.ca = folder / "ca.pem"
        self.openssl("req", "-x509", *self.new("ca"), "-out", "ca.pem", "-days", "2", "-subj", "/CN=Our own")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    @staticmethod
    def new(name):
        return ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key"]

    def sign(self, name, *names, expired=False):
        """{ key, cert } for these names, as "DNS:localhost" or "IP:127.0.0.1". Made once."""
        files = {"key": str(self.folder / f"{name}.key"), "cert": str(self.folder / f"{name}.pem")}
        if name in self.signed:
            return files
        self.signed.add(name)
        alternatives = ["-addext", f"subjectAltName={','.join(names)}"]
        self.openssl("req", *self.new(name), "-out", f"{name}.csr", "-subj", f"/CN={name}", *alternatives)
        days = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] if expired else ["-days", "2"]
        self.openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", *days,
                     "-in", f"{name}.csr", "-out", f"{name}.pem")
        return files
