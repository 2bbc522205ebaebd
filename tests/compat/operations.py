"""The list of operations: what the reference's own OpenAPI document holds under the areas that are compared."""
import json
import os
import sys
import tempfile

from servers import Server
from session import Session, Step

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDED = os.path.join(HERE, "operations.json")
AREAS = ("sys/", "identity/", "cubbyhole/", "auth/token/", "auth/userpass/", "auth/approle/", "auth/jwt/", "auth/kubernetes/", "auth/cert/", "transit/")
# Auth methods that are compared, mounted where their name says.
METHODS_OF_LOGIN = ("userpass", "approle", "jwt", "kubernetes", "cert")
# Secrets engines that are compared and are not there from the start, mounted likewise.
ENGINES = ("transit",)
METHODS = {"get": "GET", "post": "POST", "patch": "PATCH", "delete": "DELETE"}


def recorded():
    with open(RECORDED, encoding="utf-8") as file:
        return json.load(file)


def from_document(document):
    """One entry for each method and path: `method`, `path`, its `fields` with their types, and whether it needs no token."""
    found = []
    for path, item in document["paths"].items():
        path = path.lstrip("/")
        if not path.startswith(AREAS):
            continue
        for method, name in METHODS.items():
            if method not in item:
                continue
            names = listing(item[method]) if method == "get" else [name]
            for name in names:
                entry = {"method": name, "path": path}
                if name in ("POST", "PATCH"):
                    entry["fields"] = fields(document, item[method])
                if item.get("x-vault-unauthenticated"):
                    entry["open"] = True
                found.append(entry)
    return sorted(found, key=lambda entry: (entry["path"], entry["method"]))


def listing(operation):
    """A GET with the parameter `list` or `scan` stands for these methods, beside GET itself where they are not required."""
    parameters = {parameter["name"]: parameter.get("required", False) for parameter in operation.get("parameters", []) if parameter["in"] == "query"}
    asked = [name for name in ("list", "scan") if name in parameters]
    plain = [] if any(parameters[name] for name in asked) else ["GET"]
    return plain + [name.upper() for name in asked]


def fields(document, operation):
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return {name: field.get("type", "any") for name, field in sorted(schema.get("properties", {}).items())}


def write(entries):
    lines = ",\n".join(" " + json.dumps(entry) for entry in entries)
    with open(RECORDED, "w", encoding="utf-8") as file:
        file.write(f"[\n{lines}\n]\n")


def asked(binary):
    """The list as the binary itself has it, when it stores in raft and all that is off by default is on."""
    with tempfile.TemporaryDirectory() as folder, Server.sealed(binary, os.path.join(folder, "server")) as server:
        session = Session(server.addr, "", None)
        session.record("", Step("init", "PUT sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="", save={"key": "keys.0", "root": "root_token"}))
        session.record("", Step("unseal", "PUT sys/unseal", {"key": "$key"}, token=""))
        session.record("", Step("active", "GET sys/health", token="", repeat_until=lambda status, _: status == 200))
        session.enable_methods(METHODS_OF_LOGIN)
        session.enable_engines(ENGINES)
        _, text = session.send(Step("openapi", "GET sys/internal/specs/openapi"))
        return from_document(json.loads(text))


def main():
    """operations.py BINARY: records the list anew."""
    write(asked(sys.argv[1] if len(sys.argv) > 1 else "bao"))


if __name__ == "__main__":
    sys.exit(main())
