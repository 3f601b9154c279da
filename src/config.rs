//! Process settings: the commented default file is embedded and is the manual.
