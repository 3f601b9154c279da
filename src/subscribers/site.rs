//! What readers see when they subscribe and unsubscribe: forms beneath the address of a page.
//!
//! Opening a link never acts, because mail scanners open links: it shows a button. What is answered
//! never tells whether an address is known.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use tracing::error;

use super::book::{BookChange, SubscriberBook};
use super::journal::JournalError;
use super::letter::{CONFIRM, SUBSCRIBE, SubscriberLinks, UNSUBSCRIBE};
use super::phrases::{self, SubscriberPhrases};
use super::registry::SubscriberRegistry;
use super::sign_up::{self, SignUpLimits};
use super::subscriber::{SubscriberAddress, SubscriberId, SubscriptionEnd};
use crate::document::values::is_email_address;
use crate::engine::event::Text;
use crate::engine::ids::StatusPageName;
use crate::engine::time::Timestamp;
use crate::signing::subscription::LinkAct;
use crate::status_page::overall;
use crate::status_page::page::PageFrame;
use crate::status_page::published::PublishedPage;
use crate::status_page::view::ComponentView;
use crate::text::form;

/// What holds for every form: they are of one reader, and carry tokens in their addresses.
const FORM_HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
    ),
];

/// A request beneath the address of a page.
#[derive(Clone, Copy, Debug)]
pub struct SiteRequest<'request> {
    pub method: &'request Method,
    /// What follows the address of the page, such as `/subscribe`.
    pub path: &'request str,
    /// What follows the question mark.
    pub query: &'request str,
    /// Already within the limit of whoever read it.
    pub body: &'request [u8],
    /// Whom the limits count, proxies seen through.
    pub client: IpAddr,
}

/// The forms of all pages.
pub struct SubscriberSite {
    registry: Arc<SubscriberRegistry>,
    links: SubscriberLinks,
    limits: Mutex<SignUpLimits>,
}

#[derive(Template)]
#[template(path = "form.html", config = "src/subscribers/askama.toml")]
struct SubscriberForm<'form> {
    frame: PageFrame<'form>,
    title: &'static str,
    text: Option<&'static str>,
    action: String,
    button: Option<&'static str>,
    fields: Option<SignUpFields<'form>>,
}

struct SignUpFields<'form> {
    email: &'static str,
    value: &'form str,
    legend: &'static str,
    components: Vec<&'form ComponentView>,
}

/// A page with the words for its readers.
#[derive(Clone, Copy)]
struct FormPage<'page> {
    page: &'page PublishedPage,
    words: &'static SubscriberPhrases,
}

impl<'page> FormPage<'page> {
    /// A page that says something, and may have a button.
    fn say(
        self,
        status: StatusCode,
        title: &'static str,
        text: &'static str,
        button: Option<(&'static str, String)>,
    ) -> Response {
        let (button, action) = button.unzip();
        self.answer(
            status,
            &SubscriberForm {
                frame: PageFrame::new(&self.page.view),
                title,
                text: Some(text).filter(|text| !text.is_empty()),
                action: action.unwrap_or_default(),
                button,
                fields: None,
            },
        )
    }

    /// The form to subscribe, with what is wrong with what was entered.
    fn sign_up(self, problem: Option<&'static str>, value: &'page str) -> Response {
        let frame = PageFrame::new(&self.page.view);
        let fields = SignUpFields {
            email: self.words.email,
            value,
            legend: self.words.components,
            components: overall::components(&self.page.view).collect(),
        };
        let status = match problem {
            None => StatusCode::OK,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        self.answer(
            status,
            &SubscriberForm {
                title: self.words.subscribe_title,
                text: problem,
                action: frame.to(SUBSCRIBE),
                button: Some(self.words.subscribe_button),
                fields: Some(fields),
                frame,
            },
        )
    }

    fn answer(self, status: StatusCode, form: &SubscriberForm<'_>) -> Response {
        let html = form.render().expect("texts alone cannot fail to render");
        (status, FORM_HEADERS, Html(html)).into_response()
    }

    fn failed(self, error: &JournalError) -> Response {
        error!(%error, "a subscription could not be changed");
        let status = StatusCode::SERVICE_UNAVAILABLE;
        self.say(
            status,
            self.words.subscribe_title,
            self.words.try_later,
            None,
        )
    }

    fn link_over(self, title: &'static str) -> Response {
        self.say(StatusCode::GONE, title, self.words.link_over, None)
    }
}

impl SubscriberSite {
    pub fn new(registry: Arc<SubscriberRegistry>, links: SubscriberLinks) -> Self {
        Self {
            registry,
            links,
            limits: Mutex::default(),
        }
    }

    /// Answers a request for one of the forms; `None` for any other path.
    pub async fn answer(
        &self,
        page: &PublishedPage,
        request: SiteRequest<'_>,
        now: Timestamp,
    ) -> Option<Response> {
        let words = phrases::of(&page.view.language);
        let form_page = FormPage { page, words };
        let is_post = match *request.method {
            Method::GET | Method::HEAD => false,
            Method::POST => true,
            _ if [SUBSCRIBE, CONFIRM, UNSUBSCRIBE].contains(&request.path) => {
                let allow = [(header::ALLOW, "GET, HEAD, POST")];
                return Some((StatusCode::METHOD_NOT_ALLOWED, allow).into_response());
            }
            _ => return None,
        };
        Some(match (request.path, is_post) {
            (SUBSCRIBE, _) if page.rules.subscribers.email.is_none() => {
                let (title, text) = (words.subscribe_title, words.by_mail_closed);
                form_page.say(StatusCode::NOT_FOUND, title, text, None)
            }
            (SUBSCRIBE, false) => form_page.sign_up(None, ""),
            (SUBSCRIBE, true) => self.subscribe(form_page, request, now).await,
            (CONFIRM, _) => self.confirm(form_page, (request, is_post), now).await,
            (UNSUBSCRIBE, _) => self.unsubscribe(form_page, (request, is_post), now).await,
            _ => return None,
        })
    }

    async fn subscribe(
        &self,
        form_page: FormPage<'_>,
        request: SiteRequest<'_>,
        now: Timestamp,
    ) -> Response {
        let FormPage { page, words } = form_page;
        let fields = form::fields(request.body);
        let email = form::field(&fields, "email").unwrap_or_default().trim();
        if !is_email_address(email) {
            return form_page
                .sign_up(Some(words.not_an_address), "")
                .into_response();
        }
        if !self.admits(request.client, &page.rules.name, now) {
            let status = StatusCode::TOO_MANY_REQUESTS;
            return form_page.say(status, words.subscribe_title, words.too_many, None);
        }
        let chosen = fields.iter().filter(|(name, _)| name == "component");
        let known = |id: &str| overall::component(&page.view, id).map(|known| known.id.clone());
        let components: Vec<Text> = chosen.filter_map(|(_, id)| known(id)).collect();
        let (name, address) = (
            page.rules.name.clone(),
            SubscriberAddress::Email(email.to_owned()),
        );
        let ask =
            move |book: &SubscriberBook| (sign_up::ask(book, &name, address, components, now), ());
        match self.change(ask).await {
            Ok(()) => {
                let (title, text) = (words.subscribe_title, words.check_mail);
                form_page.say(StatusCode::OK, title, text, None)
            }
            Err(error) => form_page.failed(&error),
        }
    }

    /// Counts a sign-up, and says whether it is within the limits.
    fn admits(&self, client: IpAddr, page: &StatusPageName, now: Timestamp) -> bool {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits.admit(client, page, now)
    }

    async fn confirm(
        &self,
        form_page: FormPage<'_>,
        (request, is_post): (SiteRequest<'_>, bool),
        now: Timestamp,
    ) -> Response {
        let words = form_page.words;
        let title = words.subscribe_title;
        let Some((id, token)) = self.read(LinkAct::Confirm, request, now) else {
            return form_page.link_over(title);
        };
        if !is_post {
            let action = PageFrame::new(&form_page.page.view).to(CONFIRM);
            let button = (words.confirm_button, format!("{action}?t={token}"));
            return form_page.say(StatusCode::OK, title, "", Some(button));
        }
        match self
            .change(move |book| sign_up::confirm(book, id, now))
            .await
        {
            Ok(true) => form_page.say(StatusCode::OK, title, words.confirmed, None),
            Ok(false) => form_page.link_over(title),
            Err(error) => form_page.failed(&error),
        }
    }

    async fn unsubscribe(
        &self,
        form_page: FormPage<'_>,
        (request, is_post): (SiteRequest<'_>, bool),
        now: Timestamp,
    ) -> Response {
        let words = form_page.words;
        let title = words.unsubscribe_title;
        let Some((id, token)) = self.read(LinkAct::Unsubscribe, request, now) else {
            return form_page.link_over(title);
        };
        if !is_post {
            let action = PageFrame::new(&form_page.page.view).to(UNSUBSCRIBE);
            let button = (words.unsubscribe_button, format!("{action}?t={token}"));
            return form_page.say(StatusCode::OK, title, "", Some(button));
        }
        let why = SubscriptionEnd::Unsubscribed;
        let end = move |book: &SubscriberBook| (sign_up::end(book, id, why, now), ());
        match self.change(end).await {
            // Also for somebody who is forgotten already: it is as they wish.
            Ok(()) => form_page.say(StatusCode::OK, title, words.unsubscribed, None),
            Err(error) => form_page.failed(&error),
        }
    }

    fn read(
        &self,
        act: LinkAct,
        request: SiteRequest<'_>,
        now: Timestamp,
    ) -> Option<(SubscriberId, String)> {
        let fields = form::fields(request.query.as_bytes());
        let token = form::field(&fields, "t")?;
        let id = self.links.read(act, token, now)?;
        Some((id, token.to_owned()))
    }

    /// Changes the records on a thread that may block.
    async fn change<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&SubscriberBook) -> (Vec<BookChange>, T) + Send + 'static,
    ) -> Result<T, JournalError> {
        let registry = self.registry.clone();
        let changed = tokio::task::spawn_blocking(move || registry.change(decide)).await;
        changed.expect("a change of the records does not panic")
    }
}
