//! Photos whose files on this tablet are not what was recorded, and that may be at the office all the same.

use super::fetching::{fetch, where_is};
use super::hub::{Hub, silence};
use super::tablet::Tablet;
use crate::store::blobs::Role;
use standpipe_domain::evidence::Whereabouts;
use standpipe_domain::sync::{AsideId, SyncState};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

#[tokio::test]
async fn a_photo_that_is_spoilt_here_and_that_the_office_has_is_safe_there_and_comes_back_when_asked_for() {
    for (left, code) in [(None, "file-missing-unasked"), (Some(b"not my photo"), "file-damaged-unasked")] {
        let hub = Hub::start().await;
        let tablet = Tablet::of(&hub);
        let of = tablet.photo(b"my own photo");
        hub.kept().verified.insert(of, b"my own photo".to_vec());
        let path = tablet.store.vault().path(of, Role::Original);
        match left {
            Some(other) => fs::write(&path, other).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        // So that nothing else is asked for.
        hub.kept().tells = true;
        let breaks = Arc::new(AtomicBool::new(true));
        let line_breaks = Arc::clone(&breaks);
        hub.rule("POST /blobs/status", move || line_breaks.load(SeqCst).then(silence));
        tablet
            .play(async |tablet| {
                let line = tablet.line(|line| line.set_aside == 1).await;
                assert_eq!(line.state, SyncState::NeedsAttention);
                tablet.pause().await;
                assert_eq!(where_is(&tablet.store), Whereabouts::NeedsAttention { code: code.into() });
                tablet.store.see_to(&[AsideId::Photo(of)], true).unwrap();
                assert_eq!(tablet.standing.line().set_aside, 1, "nobody puts away what may be safe");
                breaks.store(false, SeqCst);
                tablet.go_on();
                tablet.safe().await;
                let at_office = Whereabouts::Elsewhere { at_office: Some(true), by: None };
                assert_eq!(where_is(&tablet.store), at_office);
                fetch(tablet, of).await.unwrap();
                assert_eq!(fs::read(&path).unwrap(), b"my own photo");
                assert_eq!(where_is(&tablet.store), Whereabouts::SafeAtOffice);
                let kept = fs::read_dir(path.parent().unwrap()).unwrap().count();
                assert_eq!(kept, 1 + left.iter().count(), "what was left of it is kept beside");
            })
            .await;
    }
}
