"""Deliberate breakages of what the program promises, each with the test that has to catch it."""

from dataclasses import dataclass

CLAIMS, PRIORITIES = "tests/integration/test_claims.py::", "tests/integration/test_priorities.py::"


@dataclass(frozen=True)
class Mutant:
    """In the file, old (which is there exactly once) becomes new; the test then fails by its assertion."""

    name: str
    file: str
    old: str
    new: str
    test: str


MUTANTS = [
    Mutant(
        "no fence at a result",
        "app/services/claims.py",
        'WHERE id = ? AND fence = ? AND {HELD}"\n'
        "    if not sql.change(change, *changes.values(), claim.row_id, claim.fence):",
        'WHERE id = ? AND {HELD}"\n    if not sql.change(change, *changes.values(), claim.row_id):',
        CLAIMS + "test_a_worker_that_wakes_up_after_its_lease_stores_nothing",
    ),
    Mutant(
        "no fence at a failure",
        "app/services/claims.py",
        "(row.id == self.row_id) & (row.fence == self.fence) & leased",
        "(row.id == self.row_id) & leased",
        CLAIMS + "test_a_zombie_does_not_fail_or_retry_the_work_of_its_successor",
    ),
    Mutant(
        "no reconciler: dead workers",
        "app/services/recovery.py",
        "        jobs.ring(row.job_id, stage, position, message_id=earlier)\n",
        "        pass\n",
        CLAIMS + "test_a_lost_stage_is_published_again",
    ),
    Mutant(
        "no reconciler: lost messages",
        "app/services/recovery.py",
        "                rung += _ring_message(message)\n",
        "                pass\n",
        "tests/integration/test_lost_messages.py::test_what_an_empty_queue_should_hold_is_published_again",
    ),
    Mutant(
        "reconciler blind to a queue that is not empty",
        "app/services/recovery.py",
        "lost &= Message.enqueued_at < _newest_start(queue, priority)",
        "lost &= Message.enqueued_at.is_null()",
        "tests/integration/test_lost_messages.py::test_what_younger_messages_have_overtaken_is_published_again",
    ),
    Mutant(
        "marked sent before it is published",
        "actors/dispatcher.py",
        "        for row in due:\n            publish(row)\n",
        "        outbox.mark_sent(*due)\n        for row in due:\n            publish(row)\n",
        "tests/integration/test_dispatchers.py::test_what_the_broker_does_not_take_stays_to_be_published",
    ),
    Mutant(
        "two dispatchers take one row",
        "app/services/outbox.py",
        "AND {UNTAKEN} ORDER",
        "AND (1 = 1 OR {UNTAKEN}) ORDER",
        "tests/integration/test_outbox.py::test_two_dispatchers_never_get_the_same_row",
    ),
    Mutant(
        "priority dropped along a chain",
        "actors/pipeline.py",
        "build(name, job_id, priority=priority) for name",
        "build(name, job_id, priority=1) for name",
        PRIORITIES + "test_every_message_of_a_job_has_its_priority[embedded]",
    ),
    Mutant(
        "priority dropped at a chunk",
        "app/services/jobs.py",
        "        priority=priority_of(job_id),\n",
        "        priority=1,\n",
        PRIORITIES + "test_every_message_of_a_job_has_its_priority[embedded]",
    ),
    Mutant(
        "priority dropped at a retry",
        "app/services/claims.py",
        "        priority=jobs.priority_of(claim.job_id),\n",
        "        priority=1,\n",
        PRIORITIES + "test_every_message_of_a_job_has_its_priority[embedded]",
    ),
    Mutant(
        "priority dropped at a delay",
        "app/services/starts.py",
        "outbox.add(stage, job.id, priority=job.priority,",
        "outbox.add(stage, job.id, priority=1 if is_early(job) else job.priority,",
        PRIORITIES + "test_every_message_of_a_job_has_its_priority[embedded]",
    ),
    Mutant(
        "an attempt counted twice",
        "app/services/claims.py",
        "attempt = attempt + 1",
        "attempt = attempt + 2",
        CLAIMS + "test_what_may_pass_is_tried_again_after_10_30_and_60_seconds_then_fails",
    ),
    Mutant(
        "a retry without attempts of its own",
        "app/services/retries.py",
        '    "attempt": 0,\n',
        "",
        "tests/integration/test_retries.py::test_a_retried_stage_has_all_its_attempts_again",
    ),
    Mutant(
        "lease never renewed",
        "app/services/claims.py",
        "claim.rows.update(lease_until=until, progress=claim.progress)",
        "claim.rows.update(progress=claim.progress)",
        CLAIMS + "test_renewing_keeps_a_claim_beyond_its_first_lease",
    ),
    Mutant(
        "the first chunk ends the stage",
        "app/services/chunks.py",
        "    if left:\n",
        "    if left and False:\n",
        "tests/integration/test_chunks.py::test_the_last_chunk_ends_the_stage_whatever_the_order",
    ),
    Mutant(
        "chunk window not kept",
        "app/services/chunks.py",
        "config.current().chunk_window - inside",
        "config.current().chunk_window",
        "tests/integration/test_chunks.py::"
        "test_no_more_chunks_than_the_window_are_let_in_and_each_that_ends_lets_in_the_next",
    ),
    Mutant(
        "chunk seam off by one",
        "app/engines/seams.py",
        "return one + 1, other + 1",
        "return one + 1, other",
        "tests/unit/test_cuts.py::test_what_two_slices_have_both_heard_comes_once",
    ),
    Mutant(
        "webhook not signed with its body",
        "app/engines/webhook.py",
        '.encode() + body\n    return "v1,"',
        '.encode()\n    return "v1,"',
        "tests/unit/test_webhook_caller.py::test_a_signature_is_that_of_the_standard",
    ),
    Mutant(
        "webhooks call inside addresses",
        "app/engines/webhook.py",
        "        ip.is_global\n        and not",
        "        True or ip.is_global\n        and not",
        "tests/unit/test_webhook_caller.py::test_addresses_that_are_not_on_the_internet_are_known",
    ),
    Mutant(
        "downloads: any address is public",
        "app/engines/guard.py",
        "return address.is_global and not address.is_multicast and not is_relay",
        "return True",
        "tests/unit/test_guard.py::test_addresses_inside_networks_are_not_public",
    ),
    Mutant(
        "downloads: connections not looked at",
        "app/engines/guard.py",
        "_check_connection(arguments[1], doors | proxies)",
        "pass",
        "tests/integration/test_attacks.py::test_no_attack_reaches_the_inside_and_without_the_guard_all_do",
    ),
    Mutant(
        "owner not asked for",
        "app/services/jobs.py",
        "mine = (Job.id == job_id) if owner is None else",
        "mine = (Job.id == job_id) if True else",
        "tests/integration/test_auth.py::test_users_see_their_own_jobs_and_admins_all",
    ),
    Mutant(
        "cursor unstable",
        "app/services/selection.py",
        "query.where(Job.id < self.before)",
        "query.where(Job.id <= self.before)",
        "tests/integration/test_jobs_api.py::test_jobs_are_listed_newest_first_in_pages_without_gaps",
    ),
    Mutant(
        "idempotency key ignored",
        "app/services/intake.py",
        "if request.idempotency_key is None:",
        "if True:",
        "tests/integration/test_intake_api.py::"
        "test_an_idempotency_key_makes_a_repetition_harmless_even_with_force",
    ),
    Mutant(
        "form token not checked",
        "app/web/cookies.py",
        'compare_digest(request.form.get("form_token", "").encode(), _token(seed).encode())',
        "True",
        "tests/integration/test_pages.py::test_a_form_that_is_not_from_our_own_page_changes_nothing",
    ),
    Mutant(
        "alert threshold wrong",
        "deploy/prometheus/rules/alerts.yml",
        'expr: max(ytrag_jobs{state="pending"}) > 100',
        'expr: max(ytrag_jobs{state="pending"}) > 120',
        "tests/integration/test_alerts.py::"
        "test_an_alert_fires_when_it_should_and_not_just_before_and_resolves[EnqueuedJobsHigh]",
    ),
]
