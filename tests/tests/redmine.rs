//! An office that has a Redmine: each issue comes there once, however often the hub is killed meanwhile, over a line that
//! breaks and delivers what nobody waits for any more.

use anyhow::{Context, Result, ensure};
use standpipe_tests::fleet::{Fleet, Machine, Mode, rows};
use standpipe_tests::process::{eventually, in_folder};
use standpipe_tests::proxy::Proxy;
use standpipe_tests::redmine::{Redmine, There};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// Only ends a run that hangs. A create whose fate nobody knows is looked for over more than a minute.
const PATIENCE: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_issue_comes_into_a_redmine_once() -> Result<()> {
    in_folder(play).await
}

async fn play(home: &Path) -> Result<()> {
    let redmine = Redmine::start(&home.join("redmine")).await?;
    let line = Proxy::start(redmine.address, 7).await?;
    let mut fleet = Fleet::found(home, 20_230_702, async |hub| Ok(hub)).await?;
    fleet.settings = redmine.settings(line.address)?;
    fleet.mode = Mode::Work { signs: false };
    let hub = fleet.hub_folder();
    fleet.start_all()?;
    for kills in 1..=2 {
        // Some come there well. Then the line breaks, until one is sent of which nobody knows, and the hub is killed.
        until(&mut fleet, "issues come there", "filed", 5 * kills).await?;
        line.be_bad(true);
        until(&mut fleet, "an issue is on its way", "sent", 1).await?;
        fleet.kill(Machine::Hub)?;
        line.be_bad(false);
        fleet.start(Machine::Hub)?;
    }
    fleet.end_tablets()?;
    fleet.mode = Mode::Rest;
    fleet.start_tablets()?;
    fleet.settle().await?;
    // What is there twice is looked for when a hub starts.
    eventually("each issue has been sent", PATIENCE, async || {
        let known = filed(&hub)?;
        let waits = known.values().filter(|number| number.is_none()).count();
        ensure!(waits == 0 && !known.is_empty(), "{waits} of {} wait", known.len());
        Ok(())
    })
    .await?;
    fleet.end_hub()?;
    let one = *filed(&hub)?.keys().next().context("there are issues")?;
    redmine.double(one).await?;
    let twins = redmine.issues().await?;
    ensure!(twins[&one].iter().filter(|one| !one.is_closed).count() == 2, "there are no twins: {twins:?}");
    fleet.start(Machine::Hub)?;
    let open = eventually("each issue is open there once", PATIENCE, async || {
        let there = redmine.issues().await?;
        let open: BTreeMap<Uuid, Vec<There>> = there
            .into_iter()
            .map(|(mark, all)| (mark, all.into_iter().filter(|one| !one.is_closed).collect()))
            .collect();
        let twice = open.values().filter(|open| open.len() != 1).count();
        ensure!(twice == 0, "{twice} are not there once");
        Ok(open)
    })
    .await?;
    let known = filed(&hub)?;
    let all = redmine.issues().await?.values().map(Vec::len).sum::<usize>();
    println!("{} issues; {all} were created, {:?}", known.len(), line.count());
    ensure!(open.keys().eq(known.keys()), "there are others than the hub's: {open:?}, {known:?}");
    for (issue, number) in &known {
        let there = open[issue].first().context("it is there")?;
        ensure!(Some(there.number) == *number, "{issue} is {there:?}, and the hub knows {number:?}");
        ensure!(there.subject.starts_with("ZJ-"), "{there:?}");
    }
    // Its administrator deletes two while the hub is down. The number of the last is given again.
    fleet.end_hub()?;
    let numbers: BTreeMap<u64, Uuid> =
        known.iter().filter_map(|(issue, number)| number.map(|number| (number, *issue))).collect();
    let ends = [numbers.first_key_value(), numbers.last_key_value()];
    let deleted: BTreeMap<u64, Uuid> = ends.into_iter().flatten().map(|(at, issue)| (*at, *issue)).collect();
    ensure!(deleted.len() == 2, "there are too few: {numbers:?}");
    let last = *deleted.keys().next_back().context("there are two")?;
    let there = redmine.issues().await?;
    let doubles = there.values().flatten().map(|one| one.number).filter(|number| *number > last);
    for number in doubles.chain(deleted.keys().copied()) {
        redmine.delete(number).await?;
    }
    let other = Uuid::from_u128(7);
    redmine.double(other).await?;
    fleet.start(Machine::Hub)?;
    eventually("what was deleted there is gone", PATIENCE, async || {
        let gone = gone(&hub)?;
        ensure!(gone == deleted, "the hub knows of {gone:?}, and {deleted:?} were deleted");
        Ok(())
    })
    .await?;
    let there = redmine.issues().await?;
    ensure!(there[&other].iter().any(|one| one.number == last), "{last} was not given again: {there:?}");
    ensure!(deleted.values().all(|issue| !there.contains_key(issue)), "one is there again: {there:?}");
    fleet.end_hub()?;
    redmine.stop()
}

/// Waits until so many issues are in this state.
async fn until(fleet: &mut Fleet, what: &str, state: &str, count: usize) -> Result<()> {
    let hub = fleet.hub_folder();
    eventually(what, PATIENCE, || {
        let seen = fleet.all_run().and_then(|()| {
            let sql = "SELECT count(*) FROM filing WHERE state = ?1";
            let found: usize = rows::database(&hub)?.query_row(sql, [state], |row| row.get(0))?;
            ensure!(found >= count, "{found} are {state}");
            Ok(())
        });
        std::future::ready(seen)
    })
    .await
}

/// Those of the hub's issues that were deleted there, by the numbers that they had.
fn gone(hub: &Path) -> Result<BTreeMap<u64, Uuid>> {
    let hub = rows::database(hub)?;
    let mut rows = hub.prepare("SELECT number, issue FROM filing WHERE state = 'gone'")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The hub's issues, each with its number there, as far as that is known.
fn filed(hub: &Path) -> Result<BTreeMap<Uuid, Option<u64>>> {
    let hub = rows::database(hub)?;
    let mut rows = hub.prepare("SELECT i.id, f.number FROM issue i LEFT JOIN filing f ON f.issue = i.id")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
