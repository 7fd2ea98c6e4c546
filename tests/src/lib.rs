//! What the whole-system tests and the demonstration share: real processes, a real window, a real browser.

pub mod app;
pub mod browser;
pub mod display;
pub mod fleet;
pub mod hub;
pub mod inspector;
pub mod journal;
pub mod page;
pub mod pictures;
pub mod process;
pub mod proxy;
pub mod redmine;
pub mod sites;
pub mod story;
pub mod trouble;
