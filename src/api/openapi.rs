//! The description of the API, made from the table of routes and the shapes themselves.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::{ResponseBuilder, ResponsesBuilder};
use utoipa::openapi::schema::{
    ArrayBuilder, ComponentsBuilder, Object, Ref, Schema, SchemaType, Type,
};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, RefOr,
    Required,
};
use utoipa::{PartialSchema, ToSchema};

use super::access::Access;
use super::routes::{self, Route};
use super::{
    actions, audit, auth, clock, explain, health, keys, overrides, ports, preview, rules, silences,
    tokens, wire,
};

/// `GET /openapi.json`
pub async fn show() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| {
        // A document made of plain text and numbers always serialises.
        serde_json::to_string(&document()).unwrap_or_default()
    });
    (
        [(header::CONTENT_TYPE, "application/json")],
        document.as_str(),
    )
        .into_response()
}

/// The whole description.
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Reveille")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "An on-call alert router. Errors are application/problem+json with a stable code.",
        ))
        .build();
    let mut paths = PathsBuilder::new();
    for route in routes::all() {
        let item = utoipa::openapi::PathItem::new(method(&route), operation(&route));
        paths = paths.path(route.path, item);
    }
    OpenApiBuilder::new()
        .info(info)
        .paths(paths.build())
        .components(Some(components()))
        .build()
}

fn method(route: &Route) -> HttpMethod {
    match route.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn operation(route: &Route) -> utoipa::openapi::path::Operation {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(operation_id(route)))
        .summary(Some(route.summary))
        .parameters(Some(parameters(route)));
    if let Some(schema) = route.takes {
        let body = RequestBodyBuilder::new()
            .content("application/json", Content::new(Some(reference(schema))))
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    let scheme = match route.access {
        Access::Open | Access::Signed => None,
        Access::Integration => Some("integration_key"),
        Access::Role(_) => Some("token"),
    };
    if let Some(scheme) = scheme {
        let none: [&str; 0] = [];
        operation = operation.security(SecurityRequirement::new(scheme, none));
    }
    operation.responses(responses(route)).build()
}

fn responses(route: &Route) -> utoipa::openapi::Responses {
    let mut good = ResponseBuilder::new().description(route.summary);
    if let Some(schema) = route.gives {
        good = good.content("application/json", Content::new(Some(reference(schema))));
    }
    let role = match route.access {
        Access::Role(role) => format!("Forbidden; needs role {}", role.as_str()),
        Access::Open | Access::Signed | Access::Integration => "Refused".to_owned(),
    };
    let problem = Content::new(Some(reference("Problem")));
    let refused = ResponseBuilder::new()
        .description(role)
        .content("application/problem+json", problem);
    ResponsesBuilder::new()
        .response(route.status.to_string(), good.build())
        .response("default", refused.build())
        .build()
}

/// Path parameters out of the path itself, then those of the query.
fn parameters(route: &Route) -> Vec<Parameter> {
    let parts = route.path.split('/');
    let in_path = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| parameter(name, ParameterIn::Path, Required::True));
    let in_query = route.query.iter();
    let in_query = in_query.map(|name| parameter(name, ParameterIn::Query, Required::False));
    in_path.chain(in_query).collect()
}

fn parameter(name: &str, place: ParameterIn, required: Required) -> Parameter {
    let text = Schema::Object(Object::with_type(SchemaType::Type(Type::String)));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(Some(text))
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

fn reference(schema: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(schema))
}

/// A problem, for the description; the real one is built by hand to keep its constructors small.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is used")]
struct Problem {
    title: String,
    status: u16,
    /// Stable; see the manual for the list.
    code: String,
    /// The thing, the value and the fix.
    detail: String,
    /// Each with its place.
    faults: Option<Vec<wire::receipt::Fault>>,
}

fn components() -> Components {
    let mut schemas = Vec::new();
    add::<Problem>("Problem", &mut schemas);
    add::<auth::Role>("Role", &mut schemas);
    of_events(&mut schemas);
    of_incidents(&mut schemas);
    of_rules(&mut schemas);
    of_administration(&mut schemas);
    let bearer = |description: &str| {
        let http = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(description));
        SecurityScheme::Http(http.build())
    };
    ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("token", bearer("An API token"))
        .security_scheme("integration_key", bearer("The key of an integration"))
        .build()
}

type Schemas = Vec<(String, RefOr<Schema>)>;

/// A shape under its name, with the shapes that it is made of.
fn add<T: ToSchema>(name: &str, schemas: &mut Schemas) {
    T::schemas(schemas);
    schemas.push((name.to_owned(), T::schema()));
}

/// A list of a shape.
fn list<T: ToSchema>(name: &str, schemas: &mut Schemas) {
    T::schemas(schemas);
    schemas.push((T::name().into_owned(), T::schema()));
    let schema = <wire::List<T> as PartialSchema>::schema();
    schemas.push((format!("{name}List"), schema));
}

/// A shape, and an array of it as imitated programs give it.
fn array<T: ToSchema>(name: &str, schemas: &mut Schemas) {
    add::<T>(name, schemas);
    let items = Ref::from_schema_name(T::name());
    let schema = ArrayBuilder::new().items(items).build();
    schemas.push((format!("{name}Array"), Schema::from(schema).into()));
}

fn of_events(schemas: &mut Schemas) {
    add::<preview::NativeEvent>("NativeEvent", schemas);
    add::<wire::receipt::AcceptedBatch>("AcceptedBatch", schemas);
    add::<wire::preview::Preview>("Preview", schemas);
    list::<wire::receipt::Receipt>("Receipt", schemas);
    list::<wire::alert::Alert>("Alert", schemas);
    add::<explain::Explained>("Explained", schemas);
}

fn of_incidents(schemas: &mut Schemas) {
    list::<wire::incident::Incident>("Incident", schemas);
    list::<wire::page::Page>("Page", schemas);
    list::<wire::entry::Entry>("Entry", schemas);
    add::<wire::incident::Acted>("Acted", schemas);
    add::<actions::ManyActed>("ManyActed", schemas);
    add::<actions::Numbers>("Numbers", schemas);
    add::<actions::ByHand>("ByHand", schemas);
    add::<actions::Opened>("Opened", schemas);
    add::<actions::Snooze>("Snooze", schemas);
    add::<actions::Reassign>("Reassign", schemas);
    add::<actions::NewNote>("NewNote", schemas);
}

fn of_rules(schemas: &mut Schemas) {
    add::<ports::RuleFile>("RuleFile", schemas);
    add::<rules::RuleFiles>("RuleFiles", schemas);
    add::<rules::Rules>("Rules", schemas);
    add::<rules::Applied>("Applied", schemas);
    add::<rules::CheckedRules>("CheckedRules", schemas);
    add::<rules::Diff>("Diff", schemas);
    add::<rules::Rollback>("Rollback", schemas);
    list::<rules::RevisionLine>("Revision", schemas);
    add::<wire::oncall::OnCall>("OnCall", schemas);
    list::<wire::oncall::Override>("Override", schemas);
    add::<overrides::NewOverride>("NewOverride", schemas);
    add::<clock::ConfirmedClock>("ConfirmedClock", schemas);
}

fn of_administration(schemas: &mut Schemas) {
    list::<wire::silence::Silence>("Silence", schemas);
    add::<silences::NewSilence>("NewSilence", schemas);
    add::<silences::Silenced>("Silenced", schemas);
    add::<wire::silence::PostableSilence>("PostableSilence", schemas);
    array::<wire::silence::GettableSilence>("GettableSilence", schemas);
    array::<wire::alertmanager::GettableAlert>("GettableAlert", schemas);
    array::<wire::alertmanager::AlertGroup>("AlertGroup", schemas);
    array::<wire::alertmanager::Receiver>("Receiver", schemas);
    list::<wire::channel::Channel>("Channel", schemas);
    add::<wire::channel::Checked>("Checked", schemas);
    list::<tokens::Token>("Token", schemas);
    add::<tokens::NewToken>("NewToken", schemas);
    add::<tokens::MadeToken>("MadeToken", schemas);
    list::<keys::Key>("Key", schemas);
    add::<keys::NewKey>("NewKey", schemas);
    list::<audit::AuditEntry>("AuditEntry", schemas);
    add::<keys::MadeKey>("MadeKey", schemas);
    add::<health::Health>("Health", schemas);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

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

    #[test]
    fn every_reference_of_the_description_leads_somewhere() {
        let document = serde_json::to_value(document()).unwrap();
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
        let document = serde_json::to_value(document()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3."));
        let mut ids = BTreeSet::new();
        for route in routes::all() {
            let method = route.method.as_str().to_lowercase();
            let operation = &document["paths"][route.path][&method];
            let id = operation["operationId"].as_str();
            let id = id.unwrap_or_else(|| panic!("{method} {} is missing", route.path));
            assert!(ids.insert(id.to_owned()), "{id} twice");
        }
    }
}
