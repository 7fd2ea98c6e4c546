//! What the whole-system tests and the demonstration share: real processes, a real window, a real browser.

pub mod app;
pub mod browser;
pub mod display;
pub mod hub;
pub mod page;
pub mod pictures;
pub mod process;
pub mod story;
pub mod trouble;
