// The whole story through node-vault, unchanged. Called with the server's address and, as JSON, what the test knows
// of PostgreSQL; prints one JSON line that the test looks at.
const [addr, given] = process.argv.slice(2);
const { config, role, policy } = JSON.parse(given);
const assert = require("assert");
const connect = (token) => require("node-vault")({ apiVersion: "v1", endpoint: addr, token });

const untilActive = async (vault) => {
  for (let tries = 0; tries < 600; tries++) {
    const health = await vault.health().catch(() => null);
    if (health && health.sealed === false && health.standby === false) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("the server did not become active");
};

const fails = async (promise, status) => {
  const error = await promise.then(() => null, (failure) => failure);
  assert(error && error.response.statusCode === status, `expected ${status}, got ${error}`);
};

(async () => {
  const vault = connect();
  assert.strictEqual((await vault.initialized()).initialized, false);
  const made = await vault.init({ secret_shares: 1, secret_threshold: 1 });
  await vault.unseal({ key: made.keys[0] });
  await untilActive(vault);
  const root = connect(made.root_token);

  await root.mount({ mount_point: "secret", type: "kv", options: { version: "2" } });
  await root.write("secret/data/app/config", { data: { url: "one" } });
  await root.write("secret/data/app/config", { data: { url: "two" } });
  assert.deepStrictEqual((await root.read("secret/data/app/config")).data.data, { url: "two" });
  assert.deepStrictEqual((await root.read("secret/data/app/config?version=1")).data.data, { url: "one" });
  assert.deepStrictEqual((await root.list("secret/metadata/app")).data.keys, ["config"]);
  await fails(root.read("secret/data/app/none"), 404);

  await root.mount({ mount_point: "database", type: "database" });
  await root.write("database/config/pg", config);
  await root.write("database/roles/app-role", role);
  await root.addPolicy({ name: "app", rules: policy });
  assert((await root.policies()).policies.includes("app"));
  // node-vault goes on with the token it has just created, so another client asks for it.
  const child = await connect(made.root_token).tokenCreate({ policies: ["app"], ttl: "1h" });
  const app = connect(child.auth.client_token);
  assert.strictEqual((await app.tokenLookupSelf()).data.ttl <= 3600, true);

  const revoked = await app.read("database/creds/app-role");
  await app.write("sys/leases/renew", { lease_id: revoked.lease_id, increment: 10 });
  await app.write("sys/leases/revoke", { lease_id: revoked.lease_id, sync: true });
  const expiring = await app.read("database/creds/app-role");
  await fails(app.list("database/roles"), 403);
  await root.delete("secret/metadata/app/config");
  await fails(root.read("secret/data/app/config"), 404);
  const status = await root.status();
  assert.strictEqual(status.sealed, false);
  console.log(JSON.stringify({ revoked: revoked.data, expiring: expiring.data }));
})().catch((error) => {
  console.error(error.stack, error.response ? JSON.stringify(error.response.body) : "");
  process.exit(1);
});
