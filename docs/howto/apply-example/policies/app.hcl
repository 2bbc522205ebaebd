path "shared/data/app/*" {
  capabilities = ["read"]
}
