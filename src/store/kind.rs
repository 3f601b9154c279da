//! The kinds of rows and their numbers, with which every key begins.

/// What a row is. The numbers are stored: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// What this tree is and how far it got; one row.
    Progress = 0x01,
    Document = 0x02,
    /// Part of a key of active records; no row begins with it.
    Clocks = 0x03,
    /// Which checkpoint is the last whole one; one row.
    Checkpoint = 0x04,
    // Active records: parts of keys in `active.rs`; no row begins with them.
    Alert = 0x10,
    Incident = 0x11,
    Page = 0x12,
    Group = 0x13,
    Person = 0x14,
    Channel = 0x15,
    Sender = 0x16,
    Silence = 0x17,
    Override = 0x18,
    PolicySnapshot = 0x19,
    Counters = 0x1a,
    Jump = 0x1b,
    Task = 0x1c,
    Provider = 0x1d,
    StatusComponent = 0x1e,
    Dependent = 0x1f,
    StatusPost = 0x20,
    ServiceAlert = 0x21,
    // History.
    /// Entries that outlived their commit in the journal.
    Entries = 0x31,
    ClosedIncident = 0x32,
    ClosedPage = 0x33,
    ClosedAlert = 0x34,
    /// Index: incident, page.
    PageOfIncident = 0x35,
    /// Index: incident, alert.
    AlertOfIncident = 0x36,
    /// Index: the time by which history is purged, what, which.
    ByAge = 0x37,
    /// Index: incident, first entry; the commits in which its entries are.
    Story = 0x38,
    /// What a commit added to history.
    Journal = 0x40,
    /// What a commit changed of active records, until a checkpoint holds it.
    ActiveChanges = 0x41,
    /// A part of a checkpoint.
    Slice = 0x42,
    /// What did not fit into the row whose key follows.
    Continuation = 0x70,
}

impl Kind {
    pub const ALL: [Self; 34] = [
        Self::Alert,
        Self::Incident,
        Self::Page,
        Self::Group,
        Self::Person,
        Self::Channel,
        Self::Sender,
        Self::Silence,
        Self::Override,
        Self::PolicySnapshot,
        Self::Counters,
        Self::Jump,
        Self::Task,
        Self::Provider,
        Self::Dependent,
        Self::StatusComponent,
        Self::StatusPost,
        Self::ServiceAlert,
        Self::Progress,
        Self::Document,
        Self::Clocks,
        Self::Entries,
        Self::ClosedIncident,
        Self::ClosedPage,
        Self::ClosedAlert,
        Self::PageOfIncident,
        Self::AlertOfIncident,
        Self::ByAge,
        Self::Story,
        Self::Journal,
        Self::ActiveChanges,
        Self::Slice,
        Self::Checkpoint,
        Self::Continuation,
    ];

    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}
