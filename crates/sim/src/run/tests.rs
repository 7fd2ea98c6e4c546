use super::*;
use std::time::Duration;

#[test]
fn what_is_kept_is_read_as_it_was_and_takes_no_other_storys_place() {
    let folder = tempfile::tempdir().unwrap();
    let fail = |why: &str, seed| Failure { seed, why: why.into(), steps: story(seed), trace: Vec::new() };
    for failure in [fail("a \"first\"", 7), fail("a second", 7), fail("another", 8)] {
        Kept::keep(folder.path(), &failure).unwrap();
    }
    let kept = Kept::all(folder.path()).unwrap();
    let told: Vec<_> = kept.iter().map(|(name, kept)| (name.as_str(), kept.why.as_str())).collect();
    assert_eq!(told, [("seed-7", "a \"first\""), ("seed-7-2", "a second"), ("seed-8", "another")]);
    assert!(kept.iter().all(|(_, kept)| kept.steps == story(kept.seed)));
}

/// Steps that can be told apart.
fn steps(count: u64) -> Vec<Step> {
    let step = |name| Step { at: Duration::from_secs(name), act: Act::Rename { stop: 0, name } };
    (0..count).map(step).collect()
}

fn names(steps: &[Step]) -> Vec<u64> {
    let name = |step: &Step| if let Act::Rename { name, .. } = step.act { name } else { 0 };
    steps.iter().map(name).collect()
}

fn trace(lines: &[&str]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

#[test]
fn a_story_is_played_twice_and_must_give_the_same() {
    for (second, differs) in [
        (&["a", "b"][..], None),
        (&["a", "c"], Some(r#"Some("b") / Some("c")"#)),
        (&["a"], Some(r#"Some("b") / None"#)),
        (&["a", "b", "c"], Some(r#"None / Some("c")"#)),
    ] {
        let mut watched = Vec::new();
        let run = twice(7, steps(3), true, |steps, is_watched| {
            assert_eq!(names(steps), [0, 1, 2]);
            watched.push(is_watched);
            (Ok(()), trace(if is_watched { &["a", "b"] } else { second }))
        });
        assert_eq!(watched, [true, false]);
        let why = run.err().map(|failure| failure.why);
        let told = differs.map(|differs| format!("the same seed gave another trace: {differs}"));
        assert_eq!(why, told, "{second:?}");
    }
}

/// Fails where all of these steps are there, and otherwise where one of them is.
fn fails_at<'a>(all: &'a [u64], calls: &'a mut u32) -> impl FnMut(&[Step], bool) -> Played + 'a {
    move |steps, _| {
        *calls += 1;
        let there = all.iter().filter(|name| names(steps).contains(name)).count();
        let result = match there {
            0 => Ok(()),
            _ if there == all.len() => Err(format!("lost something after {} steps", steps.len())),
            _ => Err("something else went wrong".into()),
        };
        (result, trace(&["a", "b"][..2.min(steps.len())]))
    }
}

#[test]
fn what_fails_is_shortened_to_the_steps_that_it_takes() {
    for (all, count) in
        [(&[7][..], 20), (&[7], 19), (&[7], 8), (&[0], 20), (&[19], 20), (&[2, 7, 16], 20), (&[0], 1)]
    {
        let failure = twice(7, steps(count), true, fails_at(all, &mut 0)).err().unwrap();
        assert_eq!(names(&failure.steps), all, "of {count}");
        let told = format!("lost something after {} steps", all.len());
        assert_eq!((failure.why, failure.seed), (told, 7), "as the shortest story says it");
        assert_eq!(failure.trace.len(), 2.min(all.len()), "of the shortest story");
    }
}

#[test]
fn nothing_is_shortened_where_nobody_asks() {
    let mut calls = 0;
    let failure = twice(7, steps(20), false, fails_at(&[7], &mut calls)).err().unwrap();
    assert_eq!((failure.steps, calls), (steps(20), 1));
}
