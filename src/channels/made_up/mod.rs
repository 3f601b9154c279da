//! A provider that does not exist, for tests: shows that a folder and its line in the table are all
//! that a new one needs.

use std::sync::Arc;

use super::http::{Answer as Answered, Auth, Http, Method, Reach, Request};
use super::inbound::{Answer, Denial, Endpoint, Head, Origin, Posted, Refusal, Reply, Verdict};
use super::{
    BuildError, CancelToken, Channel, Inbound, Kind, Parts, Pending, Probed, Provider, Sending,
    Sent, links::Links, no_probe, outcome::throttled, sms_text,
};
use crate::document::section::Section;
use crate::document::{MapSchema, units};
use crate::engine::decision::SendRequest;
use crate::engine::ids::ChannelName;
use crate::engine::outcome::Outcome;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};
use crate::text::form;

/// The kind as it stands in the table.
pub const KIND: Kind = Kind {
    name: "made_up",
    schema: MapSchema::new(
        "a channel of kind made_up",
        &["name", "kind", "concurrency", "depends_on", "url"],
    ),
    concurrency: 32,
    read,
};

fn read(name: ChannelName, section: &mut Section<'_, '_>) -> Option<Arc<dyn Provider>> {
    let url = section.require("url", "write url = \"https://…\"", units::text)?;
    Some(Arc::new(MadeUp { name, url }))
}

#[derive(Clone, Debug)]
struct MadeUp {
    name: ChannelName,
    url: String,
}

impl Provider for MadeUp {
    fn info(&self) -> ChannelInfo {
        ChannelInfo::new(self.name.clone(), Medium::Sms, Capabilities::default())
    }

    fn build(&self, parts: &Parts) -> Result<Arc<dyn Channel>, BuildError> {
        Ok(Arc::new(Sender {
            url: self.url.clone(),
            http: parts.http.clone(),
            links: parts.links.clone(),
        }))
    }

    fn inbound(&self) -> Option<Arc<dyn Inbound>> {
        Some(Arc::new(self.clone()))
    }
}

struct Sender {
    url: String,
    http: Arc<Http>,
    links: Links,
}

fn outcome(answered: &Answered) -> Outcome {
    match answered.status {
        200 => Outcome::Accepted,
        429 => throttled(answered.retry_after),
        _ => Outcome::Unknown,
    }
}

impl Channel for Sender {
    fn send<'a>(&'a self, order: &'a SendRequest, mark: &'a CancelToken) -> Sending<'a> {
        let request = Request {
            method: Method::POST,
            url: &self.url,
            reach: Reach::Configured,
            auth: Auth::None,
            headers: Vec::new(),
            body: sms_text::compose(order, &self.links).into_bytes(),
            deadline: order.deadline,
        };
        Box::pin(async move {
            Ok(match self.http.call_marked(request, mark).await? {
                Ok(answered) => Sent::new(outcome(&answered), None),
                Err(fault) => fault.sent(),
            })
        })
    }

    fn probe(&self) -> Pending<'_, Probed> {
        no_probe()
    }
}

impl Inbound for MadeUp {
    fn takes(&self, endpoint: Endpoint) -> bool {
        endpoint == Endpoint::Replies
    }

    fn verify(&self, head: &Head, _: Option<&[u8]>) -> Result<Verdict, Refusal> {
        if head.header("x-made-up") == "yes" {
            return Ok(Verdict::Genuine);
        }
        Err(Refusal {
            what: "a made-up request",
            cause: "it is not made up".to_owned(),
            origin: Origin::Unknown,
            denial: Denial::Unauthorized("make it up".to_owned()),
        })
    }

    fn read(&self, _: &Head, body: &[u8]) -> Result<Posted, String> {
        let form = form::fields(body);
        let Some(from) = form::field(&form, "from") else {
            return Ok(Posted::Nothing);
        };
        Ok(Posted::Reply(Reply {
            from: from.into(),
            text: form::field(&form, "text").unwrap_or("").into(),
            message_id: form::field(&form, "id").unwrap_or("").into(),
        }))
    }

    fn answer(&self, told: Option<&str>) -> Answer {
        Answer {
            content_type: "text/plain",
            body: told.unwrap_or("thanks").to_owned(),
        }
    }
}
