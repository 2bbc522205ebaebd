# What this server holds. `coffer diff .` shows how it differs, `coffer apply .` makes it so.

mount "secret/" {
  type        = "kv"
  description = "what applications share"
  options     = { version = "2" }
}

auth "userpass/" {
  type   = "userpass"
  config = { default_lease_ttl = "1h" }
}

token_role "ci" {
  allowed_policies = ["app"]
  token_ttl        = "20m"
}

# Any path with plain data. Secrets come from the environment or a file, and are never shown.
resource "auth/userpass/users/alice" {
  password       = "env:ALICE_PASSWORD"
  token_policies = ["app"]
}

entity "alice" {
  metadata = { team = "one" }
  alias "userpass/" { name = "alice" }
}

group "team-one" {
  policies        = ["app"]
  member_entities = ["alice"]
}

# With -prune, policies with such names that no file declares are removed.
prune {
  policy = ["app-*"]
}
