//! Logins by each method that can be measured without somebody else's service.

use serde_json::{Value, json};

use crate::Failure;
use crate::issuer::{ACCOUNT, AUDIENCE, Issuer, cluster_config, jwt_config};
use crate::load::{self, Measured, Request, Size};
use crate::options::Options;
use crate::process::Server;

/// One password costs as much as hundreds of other logins.
const PASSWORDS_SHARE: u32 = 25;
const PASSWORD: &str = "correct horse battery staple";

/// Measures the logins of each method, with stored tokens and with ones that are not.
pub async fn run(
    options: &Options,
    server: &Server,
    loads: &mut Vec<(&'static str, Measured)>,
) -> Result<(), Failure> {
    let issuer = Issuer::start().await?;
    let methods = [
        app_role(server).await?,
        jwt(server, &issuer).await?,
        kubernetes(server, &issuer).await?,
    ];
    for method in methods {
        for (name, kind) in [(method.stored, "service"), (method.unstored, "batch")] {
            let mut bound = method.bound.clone();
            if let Some(fields) = bound.as_object_mut() {
                fields.insert("token_type".to_owned(), kind.into());
            }
            call(server, &method.role, &bound).await?;
            let login = method.login.clone();
            loads.push((
                name,
                repeated(options, server, options.logins, login).await?,
            ));
        }
    }
    let login = userpass(server).await?;
    let few = (options.logins / PASSWORDS_SHARE).max(1);
    let measured = repeated(options, server, few, login).await?;
    loads.push(("login userpass", measured));
    Ok(())
}

/// A method that is set up.
struct Method {
    stored: &'static str,
    unstored: &'static str,
    role: String,
    bound: Value,
    login: Request,
}

async fn app_role(server: &Server) -> Result<Method, Failure> {
    enable(server, "approle").await?;
    let role = "auth/approle/role/bench".to_owned();
    let bound = json!({ "token_policies": "bench", "token_ttl": "1h" });
    call(server, &role, &bound).await?;
    let at = format!("{role}/role-id");
    let read = server.call("GET", &at, &server.root, &Value::Null).await?;
    let role_id = text(&read, "/data/role_id")?;
    let made = call(server, &format!("{role}/secret-id"), &json!({})).await?;
    let secret_id = text(&made, "/data/secret_id")?;
    Ok(Method {
        stored: "login AppRole, service token",
        unstored: "login AppRole, batch token",
        login: login(
            "approle/login",
            &json!({ "role_id": role_id, "secret_id": secret_id }),
        ),
        role,
        bound,
    })
}

async fn jwt(server: &Server, issuer: &Issuer) -> Result<Method, Failure> {
    enable(server, "jwt").await?;
    call(server, "auth/jwt/config", &jwt_config(issuer)).await?;
    let role = "auth/jwt/role/bench".to_owned();
    let bound = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": AUDIENCE, "token_policies": "bench", "token_ttl": "1h" });
    Ok(Method {
        stored: "login JWT (RS256), service token",
        unstored: "login JWT (RS256), batch token",
        login: login(
            "jwt/login",
            &json!({ "role": "bench", "jwt": issuer.token()? }),
        ),
        role,
        bound,
    })
}

async fn kubernetes(server: &Server, issuer: &Issuer) -> Result<Method, Failure> {
    enable(server, "kubernetes").await?;
    call(server, "auth/kubernetes/config", &cluster_config(issuer)?).await?;
    let role = "auth/kubernetes/role/bench".to_owned();
    let bound = json!({ "bound_service_account_names": ACCOUNT, "bound_service_account_namespaces": "*", "audience": AUDIENCE, "token_policies": "bench", "token_ttl": "1h" });
    Ok(Method {
        stored: "login Kubernetes, service token",
        unstored: "login Kubernetes, batch token",
        login: login(
            "kubernetes/login",
            &json!({ "role": "bench", "jwt": issuer.token()? }),
        ),
        role,
        bound,
    })
}

async fn userpass(server: &Server) -> Result<Request, Failure> {
    enable(server, "userpass").await?;
    let user = json!({ "password": PASSWORD, "token_policies": "bench", "token_type": "batch" });
    call(server, "auth/userpass/users/ann", &user).await?;
    Ok(login(
        "userpass/login/ann",
        &json!({ "password": PASSWORD }),
    ))
}

async fn repeated(
    options: &Options,
    server: &Server,
    requests: u32,
    login: Request,
) -> Result<Measured, Failure> {
    let size = Size {
        connections: options.connections,
        requests,
        seconds_max: options.seconds_max,
    };
    // The first one of each kind fetches keys and fills caches.
    let first = Size {
        requests: 1,
        ..size
    };
    let again = login.clone();
    load::run(server, first, move |_| again.clone(), |_| ()).await?;
    load::run(server, size, move |_| login.clone(), |_| ()).await
}

async fn enable(server: &Server, method: &str) -> Result<(), Failure> {
    call(
        server,
        &format!("sys/auth/{method}"),
        &json!({ "type": method }),
    )
    .await?;
    Ok(())
}

async fn call(server: &Server, path: &str, body: &Value) -> Result<Value, Failure> {
    server.call("POST", path, &server.root, body).await
}

fn login(path: &str, body: &Value) -> Request {
    Request {
        method: "POST",
        path: format!("auth/{path}"),
        token: String::new(),
        body: body.to_string(),
    }
}

fn text(answer: &Value, pointer: &str) -> Result<String, Failure> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| format!("no {pointer} in the answer").into())
}
