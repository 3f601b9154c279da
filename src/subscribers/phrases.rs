//! What mails and forms say to subscribers beside what people wrote, in the languages of pages.

use crate::status_page::phrases;

/// The phrases of one language. A `{}` stands for what is filled in.
#[derive(Debug)]
pub struct SubscriberPhrases {
    pub confirm_subject: &'static str,
    pub confirm_text: &'static str,
    pub confirm_button: &'static str,
    pub confirm_ignore: &'static str,
    pub confirmed: &'static str,
    pub read_more: &'static str,
    pub why: &'static str,
    pub subscribe_title: &'static str,
    pub email: &'static str,
    pub components: &'static str,
    pub subscribe_button: &'static str,
    pub check_mail: &'static str,
    pub not_an_address: &'static str,
    pub too_many: &'static str,
    pub by_mail_closed: &'static str,
    pub unsubscribe_title: &'static str,
    pub unsubscribe_button: &'static str,
    pub unsubscribed: &'static str,
    pub link_over: &'static str,
    pub try_later: &'static str,
}

static ENGLISH: SubscriberPhrases = SubscriberPhrases {
    confirm_subject: "Confirm your subscription to {}",
    confirm_text: "Somebody entered this address to be told of incidents and maintenance of {}.",
    confirm_button: "Confirm the subscription",
    confirm_ignore: "The link is valid for 48 hours. If it was not you, do nothing: you will get \
                     no mail.",
    confirmed: "You are subscribed.",
    read_more: "Read it on the page",
    why: "You get this mail because you subscribed to {}.",
    subscribe_title: "Get updates by e-mail",
    email: "E-mail address",
    components: "Only about these components; none for all",
    subscribe_button: "Subscribe",
    check_mail: "If this address is not subscribed yet, it gets a mail with a link to confirm.",
    not_an_address: "This is not an e-mail address.",
    too_many: "Too many subscriptions from here. Please try again in an hour.",
    by_mail_closed: "This page sends no e-mails.",
    unsubscribe_title: "Unsubscribe",
    unsubscribe_button: "Get no more updates",
    unsubscribed: "You are no longer subscribed.",
    link_over: "This link is not valid, or no longer. Please subscribe again.",
    try_later: "This does not work at the moment. Please try again later.",
};

static GERMAN: SubscriberPhrases = SubscriberPhrases {
    confirm_subject: "Abonnement von {} bestätigen",
    confirm_text: "Diese Adresse wurde eingetragen, um über Störungen und Wartungen von {} \
                   informiert zu werden.",
    confirm_button: "Abonnement bestätigen",
    confirm_ignore: "Der Link ist 48 Stunden gültig. Waren Sie es nicht, tun Sie nichts: Sie \
                     bekommen keine Mails.",
    confirmed: "Das Abonnement ist bestätigt.",
    read_more: "Auf der Seite lesen",
    why: "Sie bekommen diese Mail, weil Sie {} abonniert haben.",
    subscribe_title: "Meldungen per E-Mail",
    email: "E-Mail-Adresse",
    components: "Nur zu diesen Komponenten; keine Auswahl bedeutet alle",
    subscribe_button: "Abonnieren",
    check_mail: "Falls diese Adresse noch nicht eingetragen ist, bekommt sie eine Mail mit einem \
                 Link zum Bestätigen.",
    not_an_address: "Das ist keine E-Mail-Adresse.",
    too_many: "Zu viele Eintragungen von hier. Bitte versuchen Sie es in einer Stunde noch einmal.",
    by_mail_closed: "Diese Seite verschickt keine E-Mails.",
    unsubscribe_title: "Abbestellen",
    unsubscribe_button: "Keine Meldungen mehr bekommen",
    unsubscribed: "Das Abonnement ist beendet.",
    link_over: "Dieser Link ist nicht oder nicht mehr gültig. Bitte abonnieren Sie noch einmal.",
    try_later: "Das geht gerade nicht. Bitte versuchen Sie es später noch einmal.",
};

/// The phrases for a language tag such as `de` or `de-AT`.
pub fn of(language: &str) -> &'static SubscriberPhrases {
    match phrases::phrases(language).tag {
        "de" => &GERMAN,
        _ => &ENGLISH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_has_the_places_that_it_has_in_english() {
        let places = |phrases: &SubscriberPhrases| -> Vec<usize> {
            let text = format!("{phrases:?}");
            let phrases = text.split("\", ");
            phrases.map(|phrase| phrase.matches("{}").count()).collect()
        };
        assert_eq!(places(of("en")), places(of("de-AT")));
        assert!(
            !format!("{GERMAN:?}").contains("\"\""),
            "no phrase is empty"
        );
    }
}
