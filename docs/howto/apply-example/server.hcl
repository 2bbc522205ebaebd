# What this server holds. `coffer diff .` shows how it differs, `coffer apply .` makes it so.

mount "shared/" {
  type        = "kv"
  description = "what applications share"
  options     = { version = "2" }
}

# Any path with plain data. Secrets come from the environment (env:NAME) or a file (file:PATH), and are never shown.
resource "shared/config" {
  max_versions = 5
}

token_role "ci" {
  allowed_policies       = ["app"]
  token_explicit_max_ttl = "20m"
}

entity "alice" {
  metadata = { team = "one" }
}

group "team-one" {
  policies        = ["app"]
  member_entities = ["alice"]
}

# A namespace has the same kinds of blocks inside.
namespace "team" {
  mount "kv/" { type = "kv" }
  policy "reader" { text = "path \"kv/*\" { capabilities = [\"read\", \"list\"] }" }
}

quota "rate-limit/team" {
  path = "team/"
  rate = 500
}

# With -prune, policies with such names that no file declares are removed.
prune {
  policy = ["app-*"]
}
