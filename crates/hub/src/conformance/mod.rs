//! What every store must do, whatever database is behind it. Each function takes a fresh, empty store.

pub(crate) mod accounts;
pub(crate) mod aside;
pub(crate) mod backup;
pub(crate) mod bytes;
pub(crate) mod demo;
pub(crate) mod fault;
pub(crate) mod filing;
pub(crate) mod findings;
pub(crate) mod ingest;
pub(crate) mod issues;
pub(crate) mod kept;
pub(crate) mod kit;
pub(crate) mod log;
pub(crate) mod restore;
pub(crate) mod seals;
pub(crate) mod text;
pub(crate) mod update;
pub(crate) mod values;
pub(crate) mod views;

/// A test for each of the suite's functions, on a store that `$fresh` makes.
macro_rules! suite {
    ($fresh:path) => {
        $crate::conformance::suite! { $fresh;
            accounts: an_enrolment_code_works_once_and_only_in_time, a_session_lasts_until_it_ends,
                a_revoked_tablet_is_known_as_such, the_first_start_makes_one_administrator,
                a_password_is_set_for_who_is_there;
            aside: who_recorded_what_about_which_thing_is_told_of_what_was_set_aside,
                of_what_nobody_means_well_with_no_more_is_told_than_a_person_reads;
            backup: a_tablet_is_told_how_far_the_last_whole_backup_holds_its_chain,
                another_incarnation_is_in_no_backup_of_the_first, backups_are_numbered_as_they_begin;
            bytes: bytes_are_absent_then_partial_then_verified, a_thumbnail_that_is_here_stays,
                whoever_recorded_a_photo_says_what_it_looks_like, a_device_has_one_upload_of_the_same_bytes,
                uploads_that_nobody_went_on_with_come_by_once,
                a_device_begins_no_more_than_it_is_allowed, every_blob_comes_by_once,
                photos_that_records_name_and_that_are_not_here_are_told_by_what_they_are_of;
            demo: the_garden_is_loaded_once, the_round_of_the_report_is_there;
            filing: what_the_outside_tracker_has_not_got_is_listed_by_how_far_it_is;
            findings: what_is_said_of_a_finding_while_a_colleague_signs_is_set_aside_and_comes_in_with_an_amendment,
                a_photo_that_began_a_finding_while_a_colleague_signs_is_shown_and_its_words_are_set_aside,
                what_is_said_of_a_finding_that_is_shown_comes_in_though_its_check_was_signed,
                what_was_signed_of_a_finding_comes_in_behind_its_seal_though_it_was_amended,
                whoever_begins_a_signed_finding_once_more_has_the_photo_shown_with_it,
                two_who_began_a_finding_have_the_same_of_it_signed,
                a_finding_that_was_deleted_is_there_again_once_it_is_begun_anew;
            ingest: what_is_pushed_is_shown_and_handed_on, a_push_that_comes_twice_is_acknowledged_again,
                a_gap_is_told_and_nothing_kept, a_cloned_tablet_goes_on_without_loss_or_doubles,
                each_fault_is_set_aside_under_its_code_and_the_rest_goes_on,
                one_bad_operation_takes_its_transaction_along, the_record_of_the_site_is_written_by_the_hub_alone,
                each_transaction_of_a_push_is_judged_by_what_those_before_left, what_a_revoked_tablet_recorded_is_kept_aside,
                what_was_set_aside_is_judged_again_when_somebody_asks,
                only_the_same_work_leaves_the_quarantine,
                what_somebody_has_seen_to_is_kept_and_listed_apart,
                what_another_of_a_tablets_lives_brought_is_judged_for_itself,
                what_a_later_version_wrote_is_kept, a_wild_clock_counts_five_minutes_at_most,
                operations_that_replace_each_other_in_a_ring_do_no_harm,
                two_different_answers_both_stand_and_the_office_sees_it,
                what_two_answers_started_from_is_told_where_that_is_one_value;
            issues: an_issue_opens_once_for_each_finding, a_finding_without_words_or_fail_opens_none,
                a_finding_that_a_photo_began_is_shown_and_opens_none_yet, an_issue_says_what_its_finding_says_by_now,
                an_amendment_to_fail_opens_one, an_amendment_gives_way_to_what_is_answered_after_it, an_issue_says_when_its_item_does_not_fail_any_more,
                an_issue_walks_from_the_office_to_the_tablet_and_back,
                a_step_that_may_not_be_taken_is_set_aside, the_office_is_held_to_the_same_rules,
                an_office_step_is_not_taken_over_what_its_author_never_saw,
                an_office_step_settles_what_stood_beside,
                whoever_wrote_where_an_issue_will_be_is_overruled;
            kept: what_was_recorded_unseen_keeps_a_record_and_says_who_deleted_it,
                what_stands_in_a_deleted_record_keeps_it_in_sight, what_was_signed_is_kept_and_says_so;
            log: pages_hold_whole_transactions_in_order_with_the_sum, a_cursor_beyond_the_head_is_told,
                a_transaction_is_seen_whole_or_not_made, work_that_fails_leaves_nothing,
                a_part_that_fails_takes_back_only_itself,
                many_writers_at_once_all_keep_their_work, who_listens_hears_after_the_change_is_there;
            restore: only_what_bears_the_hubs_own_mark_is_taken_back, sums_tell_where_two_ends_differ,
                a_page_can_begin_where_its_transaction_does;
            seals: a_seal_is_countersigned_and_verifies, a_broken_seal_is_set_aside,
                what_was_signed_takes_amendments_only, whoever_signs_later_signs_the_same,
                what_was_signed_comes_in_behind_its_seal, a_photo_that_was_signed_stays,
                what_was_signed_stays_though_it_was_deleted_before, a_round_that_was_signed_stays,
                no_seal_of_another_round_brings_back_what_was_deleted,
                a_seal_of_a_tablet_that_a_restored_hub_has_forgotten_is_taken;
            text: an_operation_may_hold_any_text, what_is_set_aside_may_hold_any_text, names_may_be_any_text,
                what_is_listed_is_in_the_order_of_its_bytes;
            values: a_value_that_its_field_does_not_hold_is_set_aside;
            views: a_round_shows_what_was_recorded_on_it, photos_tell_where_they_are,
                issues_are_found_by_what_is_in_them, a_rebuild_shows_the_same;
        }
    };
    ($fresh:path; $($module:ident: $($name:ident),+;)+) => {$(
        mod $module {
            $(#[tokio::test]
            async fn $name() {
                let fresh = $fresh().await;
                $crate::conformance::$module::$name(&fresh.store).await;
            })+
        }
    )+};
}
pub(crate) use suite;
