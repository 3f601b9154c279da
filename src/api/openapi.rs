//! The description of the API: what each handler declares of itself, and what holds for all.

use std::sync::OnceLock;

use axum::extract::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::access::Access;
use super::ports::AppState;
use super::routes::{self, MoreRoutes, Route};
use super::wire;

/// This description
#[utoipa::path(
    get, path = "/openapi.json", security(()),
    responses((status = 200))
)]
pub async fn show(Extension(more): Extension<MoreRoutes>) -> Response {
    // All routers of a process are given the same further routes, so that there is one description.
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| {
        // A document made of plain text and numbers always serialises.
        serde_json::to_string(&document(more)).unwrap_or_default()
    });
    (
        [(header::CONTENT_TYPE, "application/json")],
        document.as_str(),
    )
        .into_response()
}

/// All routes, that of the description last.
pub fn routes(more: MoreRoutes) -> Vec<Route> {
    let mut routes = routes::own();
    routes.extend(more());
    routes.push(Route::new(utoipa_axum::routes!(show)));
    routes
}

/// The whole description.
pub fn document(more: MoreRoutes) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Reveille")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "An on-call alert router. Errors are application/problem+json with a stable code.",
        ))
        .build();
    let bearer = |description: &str| {
        let http = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(description));
        SecurityScheme::Http(http.build())
    };
    let signature = ApiKeyValue::with_description(
        "signature",
        "A signed link in the path, or the provider's own signature header; no header of this name",
    );
    let mut schemas = vec![("Problem".to_owned(), ProblemSchema::schema())];
    ProblemSchema::schemas(&mut schemas);
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("token", bearer("An API token"))
        .security_scheme("integration_key", bearer("The key of an integration"))
        .security_scheme(
            "signature",
            SecurityScheme::ApiKey(ApiKey::Header(signature)),
        )
        .build();
    let document = OpenApiBuilder::new()
        .info(info)
        .components(Some(components));
    let router = OpenApiRouter::with_openapi(document.build());
    routes(more)
        .into_iter()
        .fold(router, |router, route| router.routes(described(route)))
        .into_openapi()
}

/// A route with what it does not say of itself: its name, and how it refuses.
fn described(route: Route) -> UtoipaMethodRouter<AppState> {
    let id = operation_id(&route);
    let (schemas, mut paths, handler) = route.declared;
    if let Some((_, _, operation)) = routes::operation(&mut paths) {
        operation.operation_id = Some(id);
        let responses = &mut operation.responses.responses;
        for response in responses.values_mut() {
            if let RefOr::T(response) = response {
                response.description = operation.summary.clone().unwrap_or_default();
            }
        }
        responses.insert("default".to_owned(), refused(route.access).into());
    }
    (schemas, paths, handler)
}

fn refused(access: Access) -> utoipa::openapi::Response {
    let description = match access {
        Access::Role(role) => format!("Forbidden; needs role {}", role.as_str()),
        Access::Open | Access::Signed | Access::Integration => "Refused".to_owned(),
    };
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", problem)
        .build()
}

fn operation_id(route: &Route) -> String {
    let path = route.path.replace(['{', '}'], "");
    let parts = path.split(['/', '.']).filter(|part| !part.is_empty());
    let words: Vec<&str> = parts.collect();
    let method = route.method.as_str().to_lowercase();
    if words.is_empty() {
        return format!("{method}_home");
    }
    format!("{method}_{}", words.join("_"))
}

/// A problem, for the description; the real one is built by hand to keep its constructors small.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "only its shape is used")]
struct ProblemSchema {
    title: String,
    status: u16,
    /// Stable; see the manual for the list.
    code: String,
    /// The thing, the value and the fix.
    detail: String,
    /// Each with its place.
    faults: Option<Vec<wire::receipt::Fault>>,
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;
    use crate::web;

    /// Collects the targets of all `$ref` in a document.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if let (true, Some(target)) = (name == "$ref", member.as_str()) {
                        found.insert(target.to_owned());
                    }
                    references(member, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// With `REVEILLE_BLESS=1` the file is written anew.
    #[test]
    fn the_description_is_the_one_that_is_published() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openapi.json");
        let mut written = serde_json::to_string_pretty(&document(web::routes)).unwrap();
        written.push('\n');
        if std::env::var_os("REVEILLE_BLESS").is_some() {
            std::fs::write(path, &written).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap();
        assert!(
            written == kept,
            "if it is meant: REVEILLE_BLESS=1 writes {path} anew"
        );
    }

    #[test]
    fn a_name_of_a_schema_means_one_shape() {
        let mut shapes = BTreeMap::new();
        for (name, schema) in routes(web::routes)
            .into_iter()
            .flat_map(|route| route.declared.0)
        {
            let schema = serde_json::to_value(schema).unwrap();
            let known = shapes.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*known, schema, "{name}");
        }
    }

    #[test]
    fn every_reference_of_the_description_leads_somewhere() {
        let document = serde_json::to_value(document(web::routes)).unwrap();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 30, "{found:?}");
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    }

    #[test]
    fn every_route_is_described_once_and_by_its_method() {
        let document = serde_json::to_value(document(web::routes)).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3."));
        let mut ids = BTreeSet::new();
        for route in routes(web::routes) {
            let method = route.method.as_str().to_lowercase();
            let operation = &document["paths"][&route.path][&method];
            let id = operation["operationId"].as_str();
            let id = id.unwrap_or_else(|| panic!("{method} {} is missing", route.path));
            assert!(ids.insert(id.to_owned()), "{id} twice");
        }
    }
}
