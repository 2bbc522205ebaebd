"""A real PostgreSQL for the tests: a thin face of demo/postgres.sh, which owns how it is brought up."""
import os
import subprocess

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "demo", "postgres.sh")
ADMIN = "coffer_admin"


class Postgres:
    """One cluster in `folder`. Durability is off: a test's data may vanish with the machine."""

    def __init__(self, folder):
        self.folder = str(folder)
        self._script("install")

    def start(self):
        self._script("start", self.folder)
        return self

    def stop(self):
        self._script("stop", self.folder, "immediate")

    def remove(self):
        self._script("remove", self.folder)

    @property
    def port(self):
        return int(self._read("port"))

    @property
    def password(self):
        return self._read("password")

    @property
    def connection_url(self):
        """As a database configuration wants it, with the placeholders for name and password."""
        return f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def admin(self, sql):
        """Runs `sql` as superuser and returns the output, one row a line, columns split by `|`."""
        done = self.run_as(ADMIN, self.password, sql)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run_as(self, user, password, sql="select 1"):
        """Logs in over TCP and runs `sql`; the caller looks at returncode, stdout and stderr."""
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", user, "-d", "postgres", "-c", sql]
        return subprocess.run(command, env={**os.environ, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5"}, text=True, capture_output=True, check=False)

    def accepts(self, user, password):
        """True when this login works now. Any other failure than a refused login is an error of the test."""
        done = self.run_as(user, password)
        if done.returncode == 0:
            return True
        assert "authentication failed" in done.stderr or "does not exist" in done.stderr, done.stderr
        return False

    def has_role(self, user):
        return self.admin(f"select count(*) from pg_roles where rolname = '{user}'") == "1"

    def valid_until(self, user):
        """Seconds since the epoch at which PostgreSQL itself stops accepting the password."""
        return float(self.admin(f"select extract(epoch from rolvaliduntil) from pg_roles where rolname = '{user}'"))

    def _script(self, *arguments):
        subprocess.run(["bash", SCRIPT, *arguments], check=True, env={**os.environ, "COFFER_PG_FSYNC": "off", "COFFER_PG_PORT": "15432"}, stdin=subprocess.DEVNULL)

    def _read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read().strip()
