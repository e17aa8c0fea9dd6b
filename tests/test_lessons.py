"""Which of our peers' traps and complaints does a test of ours name, and can none get lost?

The traps were found in the sources of other clients, the complaints in their users' threads.  Each
one that is ours to avoid is listed here with the tests that carry it, and each of these tests names
it in its docstring; what is named in a docstring is listed here.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
NAMED = re.compile(r"Trap \([^)]+\)|Complaint (?:[0-9]+ )?\([^)]+\)")

TRAPS: dict[str, tuple[int, tuple[str, ...]]] = {
    "Trap (planet, final names)": (
        1,
        (
            "shell/test_sinks.py::test_what_is_not_committed_leaves_no_trace",
            "e2e/test_hostile.py::test_nothing_of_it_reaches_a_final_name",
        ),
    ),
    "Trap (planet, slots)": (
        2,
        ("shell/test_downloader.py::test_a_slot_is_held_until_the_body_is_closed",),
    ),
    "Trap (planet, logs)": (
        3,
        (
            "shell/test_transport_broken.py::test_the_log_tells_what_was_asked_and_no_secret",
            "e2e/test_canary.py::test_no_secret_is_told_under_any_fault",
        ),
    ),
    "Trap (stac-asset, cancellation)": (
        4,
        (
            "shell/test_sink_cancelled.py::test_a_stream_cancelled_at_any_step_is_whole_or_absent_and_leaves_no_handle",
            "e2e/test_cancellation.py::test_a_cancelled_download_leaves_nothing_behind_and_can_be_run_again",
        ),
    ),
    "Trap (stac-asset, bodies)": (
        5,
        (
            "core/test_transfer_resumed.py::test_a_broken_body_goes_on_at_the_byte_where_it_stood",
            "cdn/test_cdn_resume.py::test_a_transfer_that_is_cut_goes_on_at_the_byte_where_it_stood",
        ),
    ),
    "Trap (capella, 403)": (
        6,
        (
            "shell/test_downloader_links.py::test_a_store_that_refuses_fresh_links_gets_two_requests_and_one_listing",
            "cdn/test_cdn_links.py::test_a_store_that_refuses_a_fresh_link_is_not_stormed",
        ),
    ),
    "Trap (capella, resuming)": (
        7,
        (
            "core/test_transfer_resumed.py::test_416_starts_over",
            "core/test_transfer_resumed.py::test_without_a_strong_etag_a_broken_body_starts_over",
            "simulator/test_sim_faults_files.py::test_unsatisfiable_range_is_no_proof_of_a_whole_file",
        ),
    ),
    "Trap (capella, sizes)": (
        7,
        ("e2e/test_peers.py::test_a_signed_link_is_asked_once_and_only_by_get",),
    ),
    "Trap (up42, end states)": (
        8,
        (
            "e2e/test_peers.py::test_a_state_that_nobody_knows_ends_with_the_patience",
            "simulator/test_sim_faults_api.py::test_other_status_and_other_task",
        ),
    ),
    "Trap (up42, names)": (
        9,
        ("shell/test_downloader.py::test_a_name_is_made_of_ids_and_never_of_the_link",),
    ),
    "Trap (up42, empty files)": (
        9,
        ("e2e/test_peers.py::test_a_refused_file_leaves_nothing_in_the_folder",),
    ),
    "Trap (sentinelhub, progress)": (
        10,
        ("core/test_watch_answers.py::test_an_ended_task_fails_after_what_was_ready",),
    ),
    "Trap (eodag, failures)": (
        11,
        ("shell/test_downloader_failures.py::test_a_failed_file_is_a_record_and_stops_nobody",),
    ),
    "Trap (eodag, write paths)": (
        11,
        (
            "shell/test_sinks.py::test_data_is_on_disk_before_its_name_and_the_name_before_the_call_ends",
        ),
    ),
    "Trap (eodag, Retry-After)": (
        11,
        (
            "shell/test_downloader_failures.py::test_retry_after_is_obeyed",
            "core/test_watch_patience.py::test_retry_after_is_never_undercut_and_hardly_exceeded",
        ),
    ),
    "Trap (earthaccess, ages)": (
        12,
        (
            "core/test_token.py::test_a_held_token_is_good_until_its_moment",
            "core/test_lease.py::test_a_link_must_live_for_the_margin_by_the_api_s_clock",
        ),
    ),
    "Trap (earthaccess, modes)": (
        13,
        ("shell/test_sinks.py::test_files_get_the_mode_of_the_umask",),
    ),
    "Trap (earthaccess, timeouts)": (
        13,
        (
            "shell/test_auth.py::test_a_silent_endpoint_is_given_up",
            "shell/test_transport_broken.py::test_every_broken_file_is_one_error_of_ours",
            "core/test_retry.py::test_what_will_not_pass_is_not_repeated",
            "core/test_transfer_refused.py::test_a_file_that_is_not_there_yet_is_waited_for_so_many_times",
        ),
    ),
    "Trap (hyp3-sdk, poll errors)": (
        14,
        ("core/test_watch_patience.py::test_failed_polls_have_a_budget_apart_from_the_wait",),
    ),
    "Trap (hyp3-sdk, failed jobs)": (14, ("e2e/test_answers.py::test_404_for_a_task_that_ended",)),
    "Trap (parfive, writers)": (
        15,
        (
            "shell/test_downloader_failures.py::test_a_failing_disk_is_told_apart_and_never_retried",
            "e2e/test_full_disk.py::test_a_file_that_cannot_grow_is_told_kept_and_gone_on_with",
        ),
    ),
    "Trap (parfive, queues)": (
        15,
        (
            "shell/test_downloader_whole.py::test_a_body_of_unknown_length_that_grows_is_streamed_in_bounded_memory",
            "shell/test_downloader_stream.py::test_a_slow_reader_holds_transfers_back_and_loses_nothing",
        ),
    ),
    "Trap (synapse, locks)": (
        16,
        ("shell/test_leases.py::test_unrelated_tasks_do_not_wait_for_each_other",),
    ),
    "Trap (hf_hub, temporary names)": (
        17,
        (
            "shell/test_sharing.py::test_a_first_that_gives_up_is_succeeded_at_the_byte_where_it_stood",
        ),
    ),
    "Trap (ecmwf-ds, replacing)": (
        18,
        ("shell/test_sinks.py::test_an_existing_file_stays_whole_until_it_is_replaced",),
    ),
    "Trap (cdsapi, appending)": (
        18,
        ("core/test_transfer_resumed.py::test_200_to_a_range_starts_over",),
    ),
    "Trap (aiohttp_retry, responses)": (
        19,
        (
            "shell/test_downloader_whole.py::test_files_are_whole_or_absent_for_any_interleaving_of_faults",
            "shell/test_transport_ends.py::test_cancelling_anywhere_leaves_no_connection_in_use",
        ),
    ),
    "Trap (azure, Retry-After)": (
        20,
        (
            "core/test_http_date.py::test_retry_after_in_both_forms",
            "core/test_responses_limits.py::test_a_longer_retry_after_is_cut_to_its_ceiling",
        ),
    ),
}
"""By label: which of the twenty rows it is of, some of which hold two, and the tests."""

COMPLAINTS: dict[str, tuple[str, ...]] = {
    "Complaint 1 (aria2/aria2 #2197)": (
        "shell/test_downloader_links.py::test_a_link_that_dies_on_the_way_is_renewed_and_the_file_goes_on",
    ),
    "Complaint 2 (dimensionalOS/dimos #3913)": (
        "simulator/test_sim_links.py::test_a_link_is_good_until_its_hour_is_over",
        "cdn/test_cdn_resume.py::test_a_link_that_dies_during_an_interrupted_transfer_is_renewed_and_resumed",
    ),
    "Complaint 3 (Sage-Bionetworks/synapsePythonClient #1126)": (
        "core/test_transfer_refused.py::test_the_store_s_own_date_decides_whether_a_link_is_dead",
        "core/test_transfer_refused.py::test_a_store_that_says_expired_is_believed",
        "simulator/test_sim_tls.py::test_a_reset_and_a_cut_work_through_tls",
    ),
    "Complaint 4 (flyteorg/flyte-sdk #1363)": (
        "shell/test_leases.py::test_a_link_that_died_in_the_queue_is_renewed_before_it_is_used",
        "shell/test_downloader.py::test_the_soonest_to_die_goes_first",
        "e2e/test_main_job.py::test_links_that_die_in_the_queue_are_renewed",
    ),
    "Complaint 5 (chanzuckerberg/single-cell-data-portal #2266)": (
        "core/test_transfer_refused.py::test_a_link_of_unknown_age_that_is_refused_is_renewed_once",
        "simulator/test_sim_faults_links.py::test_long_promise_states_a_week_and_dies_in_minutes",
        "cdn/test_cdn_resume.py::test_a_link_that_dies_before_its_time_is_renewed_and_resumed",
    ),
    "Complaint 6 (asfadmin/Discovery-asf_search #46)": (
        "shell/test_transport_links.py::test_a_link_travels_byte_for_byte_and_without_our_token",
        "cdn/test_cdn_whole.py::test_the_token_goes_to_the_api_alone",
    ),
    "Complaint 7 (encode/httpx #2760)": (
        "e2e/test_canary.py::test_no_secret_is_told_under_any_fault",
    ),
    "Complaint 8 (planetlabs/planet-client-python #843)": (
        "core/test_watch_rhythm.py::test_silence_slows_and_news_makes_it_quick_again",
        "core/test_watch_rhythm.py::test_one_setting_scales_the_whole_rhythm",
    ),
    "Complaint 9 (planetlabs/planet-client-python #974)": (
        "core/test_transfer_pauses.py::test_bytes_refill_the_retry_budget_but_not_for_ever",
        "simulator/test_sim_faults_travel.py::test_reset_body_is_got_over_only_by_going_on_where_one_stood",
    ),
    "Complaint 10 (planetlabs/planet-client-python #759)": (
        "shell/test_transport_api.py::test_calls_are_paced",
        "e2e/test_answers.py::test_retry_after_stops_the_whole_client",
        "cdn/test_cdn_whole.py::test_no_more_transfers_at_a_time_than_the_store_bears",
    ),
    "Complaint 11 (boto/botocore #1563)": (
        "e2e/test_main_job.py::test_three_days_of_waiting_cost_hundreds_of_requests_not_thousands",
        "core/test_backoff.py::test_jitter_is_full",
        "simulator/test_sim_faults_api.py::test_throttled_counts_the_simulators_seconds",
    ),
    "Complaint 12 (sentinel-hub/sentinelhub-py #537)": (
        "core/test_watch_answers.py::test_200_that_lacks_a_requested_type_is_not_complete",
        "e2e/test_answers.py::test_404_for_a_task_that_is_canceled_while_we_wait",
    ),
    "Complaint 13 (hashicorp/go-azure-sdk #740)": (
        "core/test_watch_answers.py::test_404_of_a_task_that_stays_unknown_is_not_found_after_a_grace",
        "simulator/test_sim_faults_api.py::test_fresh_404_ends_with_its_seconds",
    ),
    "Complaint 14 (ASFHyP3/hyp3-docs #327)": (
        "e2e/test_main_job.py::test_patience_ends_with_what_came_and_the_way_to_go_on",
    ),
    "Complaint 15 (CS-SI/eodag #1067)": (
        "core/test_watch_patience.py::test_a_refusal_fails_at_once",
        "shell/test_watcher.py::test_events_tell_the_whole_story",
    ),
    "Complaint 16 (earthaccess-dev/earthaccess #1128)": (
        "shell/test_room.py::test_a_trickle_is_cut_and_gone_on_with_where_it_stood",
        "core/test_flow.py::test_a_trickle_is_found_out_within_a_window",
        "shell/test_transport_broken.py::test_every_broken_file_is_one_error_of_ours",
    ),
    "Complaint 17 (earthaccess-dev/earthaccess #481)": (
        "shell/test_downloader_failures.py::test_a_failed_file_is_a_record_and_stops_nobody",
        "faces/test_cli_commands.py::test_one_failed_file_does_not_stop_the_others",
    ),
    "Complaint 18 (stac-utils/stac-asset #161)": (
        "core/test_flow.py::test_whoever_brings_enough_is_never_cut",
        "cdn/test_cdn_whole.py::test_a_slow_line_is_no_silent_one",
    ),
    "Complaint 19 (CS-SI/eodag #1834)": (
        "shell/test_digests.py::test_bytes_that_disagree_are_not",
        "core/test_digest.py::test_one_changed_byte_is_noticed",
    ),
    "Complaint 20 (ecmwf/cdsapi #21)": (
        "faces/test_cli_processes.py::test_a_signal_ends_a_download_and_the_next_run_keeps_its_files",
    ),
    "Complaint 21 (sentinelsat/sentinelsat #481)": (
        "e2e/test_cancellation.py::test_a_cancelled_download_leaves_nothing_behind_and_can_be_run_again",
        "shell/test_downloader_whole.py::test_cancelled_at_any_await_it_leaves_no_task_no_body_and_only_whole_files",
    ),
    "Complaint 22 (ASFHyP3/hyp3-sdk #137)": (
        "shell/test_journals.py::test_the_second_run_neither_fetches_nor_hashes",
        "shell/test_resume.py::test_it_goes_on_at_the_marked_byte_under_the_same_etag",
        "shell/test_downloader_whole.py::test_after_a_cancelled_run_the_next_one_brings_the_rest",
    ),
    "Complaint 23 (huggingface/huggingface_hub #4196)": (
        "shell/test_sharing.py::test_the_second_waits_until_the_first_has_finished_and_keeps_its_file",
        "e2e/test_crash.py::test_two_programs_in_one_folder_fetch_each_file_once",
    ),
    "Complaint 24 (boto/s3transfer #86)": (
        "core/test_transfer_resumed.py::test_a_206_of_another_place_or_another_file_starts_over",
        "shell/test_resume.py::test_a_file_that_changed_meanwhile_is_fetched_anew",
        "simulator/test_sim_faults_files.py::test_ignored_if_range",
    ),
    "Complaint 25 (m9brady/eodms-api-client #8)": (
        "core/test_content.py::test_a_page_spliced_in_or_a_second_document_behind_is_refused",
        "core/test_content.py::test_what_answers_in_a_files_place_is_none_of_any_type",
        "e2e/test_hostile.py::test_nothing_of_it_reaches_a_final_name",
        "simulator/test_sim_faults_files.py::test_xml_200",
    ),
}

CLOSE_BEHIND: dict[str, tuple[str, ...]] = {
    "Complaint (Cyberdrop-DL/cyberdrop-dl #602)": (
        "shell/test_room.py::test_what_is_promised_to_one_file_is_not_given_to_another",
    ),
    "Complaint (lemonade-sdk/lemonade #1534)": (
        "shell/test_room.py::test_a_full_disk_is_met_once_and_what_came_is_kept",
    ),
    "Complaint (inyutin/aiohttp_retry #59)": (
        "e2e/test_answers.py::test_retry_after_stops_the_whole_client",
    ),
    "Complaint (microsoft/kiota-python #564)": (
        "shell/test_downloader_whole.py::test_files_are_whole_or_absent_for_any_interleaving_of_faults",
    ),
    "Complaint (wandb/wandb #12592)": (
        "shell/test_downloader.py::test_a_name_is_made_of_ids_and_never_of_the_link",
    ),
    "Complaint (pypa/pip #6418)": (
        "shell/test_downloader.py::test_a_name_is_made_of_ids_and_never_of_the_link",
    ),
    "Complaint (planetlabs/planet-client-python #1010)": (
        "e2e/test_peers.py::test_a_signed_link_is_asked_once_and_only_by_get",
    ),
    "Complaint (Azure/azure-sdk-for-python #1120)": (
        "core/test_watch_rhythm.py::test_one_setting_scales_the_whole_rhythm",
    ),
}
"""Those of fewer users, which have no number."""

NOT_OURS = {
    "planet, row 2: two sessions double the rate": (
        "the rate belongs to a client by design, as one client serves any number of watches; that "
        "two clients of one process know each other is not promised"
    ),
    "Complaint 21: an interrupt of a synchronous facade": (
        "there is no such facade: `asyncio.run()` turns an interrupt into a cancellation, which "
        "is what the tests of this complaint try at each await"
    ),
    "aiohttp_retry, row 19: the state of its pauses is shared between requests": (
        "`Backoff` is a frozen value, and which pause is next is counted by whoever waits"
    ),
    "Complaint 11: one poller for all who watch one task": (
        "each `watch_task()` has a `Watch` of its own and hands out everything once; they share "
        "the client's rate, and whoever watches many tasks has a fleet, which holds each once"
    ),
    "Close behind (openneuro-py/openneuro-py #51): `asyncio.run` fails in Jupyter": (
        "no call of the library runs a loop: a notebook awaits them in its own"
    ),
}
"""Lessons, and halves of them, that no test carries, and why."""


def named_in_docstrings() -> dict[str, set[str]]:
    """Every trap and complaint that a test's docstring names, and the tests that do."""
    found = defaultdict[str, set[str]](set)
    for path in ROOT.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for label in NAMED.findall(ast.get_docstring(node) or ""):
                    found[label].add(f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return found


LISTED = {label: set(tests) for label, (_, tests) in TRAPS.items()} | {
    label: set(tests) for label, tests in (COMPLAINTS | CLOSE_BEHIND).items()
}


@pytest.fixture(scope="module")
def named() -> dict[str, set[str]]:
    return named_in_docstrings()


@pytest.mark.parametrize("label", LISTED)
def test_each_lesson_is_carried_by_the_tests_that_name_it(
    label: str, named: dict[str, set[str]]
) -> None:
    assert named[label] == LISTED[label] != set()


def test_no_docstring_names_a_lesson_that_is_not_listed(named: dict[str, set[str]]) -> None:
    assert named.keys() == LISTED.keys()


def test_all_rows_of_both_lists_are_there() -> None:
    numbers = [int(label.split()[1]) for label in COMPLAINTS]
    assert numbers == list(range(1, 26))
    assert {row for row, _ in TRAPS.values()} == set(range(1, 21))
