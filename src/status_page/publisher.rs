//! When pages are published anew: as soon as anything of them has changed, and once a minute, so
//! that their days go on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::projection::{PageRecords, project};
use super::published::{PublishedPage, PublishedPages};
use crate::engine::ids::StatusPageName;
use crate::engine::status_page_rules::StatusPageRules;
use crate::engine::time::{Duration, Timestamp};

/// What is looked at of one page: its rules, and what is kept of it.
pub type PageToPublish = (Arc<StatusPageRules>, PageRecords);

/// A page on which nothing changes is made anew after so long.
const ANEW_AFTER: Duration = Duration::minutes(1);

/// What was published last.
pub struct Publisher {
    public_url: String,
    records: BTreeMap<StatusPageName, PageRecords>,
    published: Arc<PublishedPages>,
}

impl Publisher {
    /// Nothing is published yet. `public_url` is the address of the process.
    pub fn new(public_url: &str) -> Self {
        Self {
            public_url: public_url.to_owned(),
            records: BTreeMap::new(),
            published: Arc::default(),
        }
    }

    /// The pages as they are now, if they are to be published anew. Pages on which nothing changed
    /// stay the same.
    pub fn next(
        &mut self,
        looked: Vec<PageToPublish>,
        now: Timestamp,
    ) -> Option<Arc<PublishedPages>> {
        let mut pages = BTreeMap::new();
        let mut records = BTreeMap::new();
        let mut is_changed = looked.len() != self.published.pages.len();
        for (rules, kept) in looked {
            let name = rules.name.clone();
            let same = self.unchanged(&rules, &kept, now);
            is_changed |= same.is_none();
            let page = same.unwrap_or_else(|| {
                let view = project(&kept, &rules, now, &self.public_url);
                Arc::new(PublishedPage { rules, view })
            });
            pages.insert(name.clone(), page);
            records.insert(name, kept);
        }
        if !is_changed {
            return None;
        }
        self.records = records;
        self.published = Arc::new(PublishedPages { pages });
        Some(self.published.clone())
    }

    fn unchanged(
        &self,
        rules: &Arc<StatusPageRules>,
        kept: &PageRecords,
        now: Timestamp,
    ) -> Option<Arc<PublishedPage>> {
        let page = self.published.pages.get(&rules.name)?;
        let records = self.records.get(&rules.name)?;
        let is_fresh = now.apart(page.view.as_of) < ANEW_AFTER;
        let is_same = page.rules == *rules && records.is_same(kept);
        (is_fresh && is_same).then(|| page.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::State;
    use crate::engine::records::{Change, Record};
    use crate::engine::samples;
    use crate::status_page::samples as pages;

    fn looked(rules: &Arc<StatusPageRules>, state: &State) -> Vec<PageToPublish> {
        vec![(rules.clone(), PageRecords::of(state, rules))]
    }

    #[test]
    fn a_page_is_published_when_it_changes_and_once_a_minute() {
        let rules = Arc::new(pages::rules());
        let mut state = State::default();
        let mut publisher = Publisher::new("https://reveille.example.com/");
        let at = |seconds| samples::START + Duration::seconds(seconds);
        let mut next = |state: &State, seconds| publisher.next(looked(&rules, state), at(seconds));
        assert!(next(&state, 0).is_some());
        assert!(next(&state, 1).is_none());
        let mut post = samples::status_post();
        post.is_draft = false;
        state.apply(&[Change::Put(Record::StatusPost(post.into()))]);
        let published = next(&state, 2).expect("a post is new");
        let page = published.pages.values().next().expect("there is one");
        assert_eq!(page.view.maintenance.len(), 1);
        assert_eq!(&*page.view.url, "https://reveille.example.com/status");
        assert!(next(&state, 3).is_none());
        assert!(next(&state, 62).is_some());
        assert!(publisher.next(Vec::new(), at(63)).is_some());
        assert!(publisher.next(Vec::new(), at(64)).is_none());
    }
}
