-- Sixty standards asked of every task, by hand: the statement that benchmarks/judging.py measures the judge against.
--
-- Each standard is two bits, thirty to a column, in the order written here: 0 pass, 1 fail, 2 unknown, 3 out of scope.
-- CASE WHEN c THEN 1 WHEN NOT c THEN 0 ELSE 2 END is the fastest way to three values in SQLite, faster than
-- ifnull(c, 2): in the place of a jump AND and OR stop at the first part that decides. Bit 8 of `task_offered` is
-- priority, which some projects do not have. Nothing here keeps the verdicts of what is not observed, finds out which
-- of them moved, or goes on when one of the sixty cannot be run. Each standard stands by itself, so that it can be read,
-- changed and checked alone; the judge, which nobody has to read, asks once whether work is open for all that want it so.
INSERT INTO by_hand (id, low, high)
SELECT t.id,
  (CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.assignee IS NULL AND t.created_day < s.today - 3
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.assignee IS NULL AND t.created_day < s.today - 3) THEN 0 ELSE 2 END)  -- DAT101
  + ((CASE WHEN t.status IN ('in_progress', 'blocked') AND t.assignee IS NULL
        THEN 1 WHEN NOT (t.status IN ('in_progress', 'blocked') AND t.assignee IS NULL) THEN 0 ELSE 2 END) << 2)  -- DAT102
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND f.assignee_active = 0
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND f.assignee_active = 0) THEN 0 ELSE 2 END) << 4)  -- DAT103
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.type IN ('epic', 'task', 'milestone') AND t.due_on IS NULL AND t.created_day < s.today - 7
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.type IN ('epic', 'task', 'milestone') AND t.due_on IS NULL AND t.created_day < s.today - 7) THEN 0 ELSE 2 END) << 6)  -- DAT104
  + ((CASE WHEN t.type IN ('task', 'subtask') AND t.estimate_h IS NULL AND (t.status = 'in_progress' OR t.status = 'todo' AND t.start_on <= s.today + 14)
        THEN 1 WHEN NOT (t.type IN ('task', 'subtask') AND t.estimate_h IS NULL AND (t.status = 'in_progress' OR t.status = 'todo' AND t.start_on <= s.today + 14)) THEN 0 ELSE 2 END) << 8)  -- DAT105
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND (length(t.title) < 10 OR t.title LIKE '%tbd%' OR t.title LIKE '%placeholder%')
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND (length(t.title) < 10 OR t.title LIKE '%tbd%' OR t.title LIKE '%placeholder%')) THEN 0 ELSE 2 END) << 10)  -- DAT106
  + ((CASE WHEN t.status_mapped = 0
        THEN 1 WHEN NOT (t.status_mapped = 0) THEN 0 ELSE 2 END) << 12)  -- DAT108
  + ((CASE WHEN p.task_offered & 8 AND t.type IN ('epic', 'task', 'request') THEN
        CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.priority IS NULL
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.priority IS NULL) THEN 0 ELSE 2 END
        ELSE 3 END) << 14)  -- DAT109
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND f.dup_titles > 0
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND f.dup_titles > 0) THEN 0 ELSE 2 END) << 16)  -- DAT110
  + ((CASE WHEN t.type = 'task' AND p.has_epics = 1 THEN
        CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.parent IS NULL AND t.created_day < s.today - 7
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.parent IS NULL AND t.created_day < s.today - 7) THEN 0 ELSE 2 END
        ELSE 3 END) << 18)  -- DAT111
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND f.parent_found = 0
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND f.parent_found = 0) THEN 0 ELSE 2 END) << 20)  -- DAT112
  + ((CASE WHEN t.type = 'epic' THEN
        CASE WHEN t.status = 'in_progress' AND f.children < 1
        THEN 1 WHEN NOT (t.status = 'in_progress' AND f.children < 1) THEN 0 ELSE 2 END
        ELSE 3 END) << 22)  -- DAT113
  + ((CASE WHEN t.status = 'in_progress' AND t.updated_day < s.today - 14
        THEN 1 WHEN NOT (t.status = 'in_progress' AND t.updated_day < s.today - 14) THEN 0 ELSE 2 END) << 24)  -- FLW501
  + ((CASE WHEN t.status = 'blocked' AND t.status_since_day < s.today - 7
        THEN 1 WHEN NOT (t.status = 'blocked' AND t.status_since_day < s.today - 7) THEN 0 ELSE 2 END) << 26)  -- FLW503
  + ((CASE WHEN t.status = 'done' AND (t.done_on IS NULL OR t.resolution IS NULL)
        THEN 1 WHEN NOT (t.status = 'done' AND (t.done_on IS NULL OR t.resolution IS NULL)) THEN 0 ELSE 2 END) << 28)  -- FLW504
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.resolution IS NOT NULL
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.resolution IS NOT NULL) THEN 0 ELSE 2 END) << 30)  -- FLW505
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.reopenings >= 2
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.reopenings >= 2) THEN 0 ELSE 2 END) << 32)  -- FLW506
  + ((CASE WHEN t.type NOT IN ('risk', 'decision') THEN
        CASE WHEN t.status = 'todo' AND t.updated_day < s.today - 180
        THEN 1 WHEN NOT (t.status = 'todo' AND t.updated_day < s.today - 180) THEN 0 ELSE 2 END
        ELSE 3 END) << 34)  -- FLW507
  + ((CASE WHEN t.status = 'done' AND f.children_open > 0
        THEN 1 WHEN NOT (t.status = 'done' AND f.children_open > 0) THEN 0 ELSE 2 END) << 36)  -- FLW508
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND f.children_open <= 0 AND f.last_child_done_on < s.today - 7
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND f.children_open <= 0 AND f.last_child_done_on < s.today - 7) THEN 0 ELSE 2 END) << 38)  -- FLW509
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.start_on <= f.latest_pred_due_on AND f.open_preds > 0
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.start_on <= f.latest_pred_due_on AND f.open_preds > 0) THEN 0 ELSE 2 END) << 40)  -- LOG308
  + ((CASE WHEN t.status IN ('in_progress', 'done') AND f.open_preds > 0
        THEN 1 WHEN NOT (t.status IN ('in_progress', 'done') AND f.open_preds > 0) THEN 0 ELSE 2 END) << 42)  -- LOG309
  + ((CASE WHEN f.in_cycle = 1
        THEN 1 WHEN NOT (f.in_cycle = 1) THEN 0 ELSE 2 END) << 44)  -- LOG310
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND f.undated_external_preds > 0
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND f.undated_external_preds > 0) THEN 0 ELSE 2 END) << 46)  -- LOG311
  + ((CASE WHEN t.type = 'request' THEN
        CASE WHEN t.status = 'todo' AND t.created_day < s.today - 14
        THEN 1 WHEN NOT (t.status = 'todo' AND t.created_day < s.today - 14) THEN 0 ELSE 2 END
        ELSE 3 END) << 48)  -- PRT903
  + ((CASE WHEN t.type IN ('task', 'subtask') THEN
        CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.estimate_h > 80
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.estimate_h > 80) THEN 0 ELSE 2 END
        ELSE 3 END) << 50)  -- RES405
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.spent_h / nullif(t.estimate_h, 0) > 1.2
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.spent_h / nullif(t.estimate_h, 0) > 1.2) THEN 0 ELSE 2 END) << 52)  -- RES406
  + ((CASE WHEN t.status = 'todo' AND t.spent_h > 0
        THEN 1 WHEN NOT (t.status = 'todo' AND t.spent_h > 0) THEN 0 ELSE 2 END) << 54)  -- RES407
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.due_on < s.today AND s.today_w - f.due_w > 0
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.due_on < s.today AND s.today_w - f.due_w > 0) THEN 0 ELSE 2 END) << 56)  -- SCH201
  + ((CASE WHEN p.task_offered & 8 THEN
        CASE WHEN t.status NOT IN ('done', 'cancelled') AND s.today_w - f.due_w > 10 AND t.priority IN ('high', 'critical')
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND s.today_w - f.due_w > 10 AND t.priority IN ('high', 'critical')) THEN 0 ELSE 2 END
        ELSE 3 END) << 58)  -- SCH202
  ,
  (CASE WHEN t.status = 'todo' AND t.start_on < s.today - 3
        THEN 1 WHEN NOT (t.status = 'todo' AND t.start_on < s.today - 3) THEN 0 ELSE 2 END)  -- SCH203
  + ((CASE WHEN t.start_on > t.due_on
        THEN 1 WHEN NOT (t.start_on > t.due_on) THEN 0 ELSE 2 END) << 2)  -- SCH204
  + ((CASE WHEN coalesce(t.done_on, f.logged_on) > s.today OR coalesce(f.logged_on, t.done_on) > s.today
        THEN 1 WHEN NOT (coalesce(t.done_on, f.logged_on) > s.today OR coalesce(f.logged_on, t.done_on) > s.today) THEN 0 ELSE 2 END) << 4)  -- SCH205
  + ((CASE WHEN t.type IN ('task', 'subtask') THEN
        CASE WHEN t.status NOT IN ('done', 'cancelled') AND f.workdays > 44
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND f.workdays > 44) THEN 0 ELSE 2 END
        ELSE 3 END) << 6)  -- SCH207
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.due_moves > 2
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.due_moves > 2) THEN 0 ELSE 2 END) << 8)  -- SCH208
  + ((CASE WHEN t.type = 'milestone' THEN
        CASE WHEN t.status NOT IN ('done', 'cancelled') AND (t.estimate_h > 0 OR t.due_on - t.start_on > 0)
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND (t.estimate_h > 0 OR t.due_on - t.start_on > 0)) THEN 0 ELSE 2 END
        ELSE 3 END) << 10)  -- SCH212
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND t.due_on > f.parent_due_on
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND t.due_on > f.parent_due_on) THEN 0 ELSE 2 END) << 12)  -- SCH213
  + ((CASE WHEN t.status NOT IN ('done', 'cancelled') AND f.due_is_workday = 0
        THEN 1 WHEN NOT (t.status NOT IN ('done', 'cancelled') AND f.due_is_workday = 0) THEN 0 ELSE 2 END) << 14)  -- SCH215
  + ((CASE WHEN t.due_on < t.start_on + 1
        THEN 1 WHEN NOT (t.due_on < t.start_on + 1) THEN 0 ELSE 2 END) << 16)  -- BEN01
  + ((CASE WHEN t.spent_h > 80 AND t.status = 'todo'
        THEN 1 WHEN NOT (t.spent_h > 80 AND t.status = 'todo') THEN 0 ELSE 2 END) << 18)  -- BEN02
  + ((CASE WHEN p.task_offered & 8 THEN
        CASE WHEN t.status = 'blocked' AND t.priority = 'critical'
        THEN 1 WHEN NOT (t.status = 'blocked' AND t.priority = 'critical') THEN 0 ELSE 2 END
        ELSE 3 END) << 20)  -- BEN03
  + ((CASE WHEN t.due_on BETWEEN s.today AND s.today + 14 AND t.status = 'todo'
        THEN 1 WHEN NOT (t.due_on BETWEEN s.today AND s.today + 14 AND t.status = 'todo') THEN 0 ELSE 2 END) << 22)  -- BEN04
  + ((CASE WHEN t.type IN ('epic', 'milestone') AND t.assignee IS NULL
        THEN 1 WHEN NOT (t.type IN ('epic', 'milestone') AND t.assignee IS NULL) THEN 0 ELSE 2 END) << 24)  -- BEN05
  + ((CASE WHEN t.done_on > t.due_on
        THEN 1 WHEN NOT (t.done_on > t.due_on) THEN 0 ELSE 2 END) << 26)  -- BEN06
  + ((CASE WHEN t.done_on - t.start_on > 90
        THEN 1 WHEN NOT (t.done_on - t.start_on > 90) THEN 0 ELSE 2 END) << 28)  -- BEN07
  + ((CASE WHEN t.estimate_h / 8 > 10
        THEN 1 WHEN NOT (t.estimate_h / 8 > 10) THEN 0 ELSE 2 END) << 30)  -- BEN08
  + ((CASE WHEN f.children > 20
        THEN 1 WHEN NOT (f.children > 20) THEN 0 ELSE 2 END) << 32)  -- BEN09
  + ((CASE WHEN t.status IN ('done', 'cancelled') AND t.done_on IS NULL
        THEN 1 WHEN NOT (t.status IN ('done', 'cancelled') AND t.done_on IS NULL) THEN 0 ELSE 2 END) << 34)  -- BEN10
  + ((CASE WHEN coalesce(t.start_on, t.due_on) < 18262
        THEN 1 WHEN NOT (coalesce(t.start_on, t.due_on) < 18262) THEN 0 ELSE 2 END) << 36)  -- BEN11
  + ((CASE WHEN t.updated_at < t.created_at
        THEN 1 WHEN NOT (t.updated_at < t.created_at) THEN 0 ELSE 2 END) << 38)  -- BEN12
  + ((CASE WHEN s.today_w - f.due_w BETWEEN 1 AND 5
        THEN 1 WHEN NOT (s.today_w - f.due_w BETWEEN 1 AND 5) THEN 0 ELSE 2 END) << 40)  -- BEN13
  + ((CASE WHEN t.type != 'subtask' AND t.parent IS NULL AND t.status = 'in_progress'
        THEN 1 WHEN NOT (t.type != 'subtask' AND t.parent IS NULL AND t.status = 'in_progress') THEN 0 ELSE 2 END) << 42)  -- BEN14
  + ((CASE WHEN NOT (t.status = 'done' OR t.status = 'cancelled') AND t.due_moves > 0
        THEN 1 WHEN NOT (NOT (t.status = 'done' OR t.status = 'cancelled') AND t.due_moves > 0) THEN 0 ELSE 2 END) << 44)  -- BEN15
  + ((CASE WHEN t.reopenings > 0 AND t.status = 'done'
        THEN 1 WHEN NOT (t.reopenings > 0 AND t.status = 'done') THEN 0 ELSE 2 END) << 46)  -- BEN16
  + ((CASE WHEN length(t.title) < 12
        THEN 1 WHEN NOT (length(t.title) < 12) THEN 0 ELSE 2 END) << 48)  -- BEN17
  + ((CASE WHEN p.task_offered & 8 THEN
        CASE WHEN t.priority IN ('high', 'critical') AND t.due_on IS NULL
        THEN 1 WHEN NOT (t.priority IN ('high', 'critical') AND t.due_on IS NULL) THEN 0 ELSE 2 END
        ELSE 3 END) << 50)  -- BEN18
  + ((CASE WHEN t.spent_h > t.estimate_h * 2
        THEN 1 WHEN NOT (t.spent_h > t.estimate_h * 2) THEN 0 ELSE 2 END) << 52)  -- BEN19
  + ((CASE WHEN t.status = 'in_progress' AND t.start_on > s.today
        THEN 1 WHEN NOT (t.status = 'in_progress' AND t.start_on > s.today) THEN 0 ELSE 2 END) << 54)  -- BEN20
  + ((CASE WHEN f.in_cycle = 1 AND f.open_preds > 3
        THEN 1 WHEN NOT (f.in_cycle = 1 AND f.open_preds > 3) THEN 0 ELSE 2 END) << 56)  -- BEN21
  + ((CASE WHEN t.resolution = 'Fixed' AND t.status = 'todo'
        THEN 1 WHEN NOT (t.resolution = 'Fixed' AND t.status = 'todo') THEN 0 ELSE 2 END) << 58)  -- BEN22
FROM task t
JOIN task_fact f ON f.task_id = t.id
JOIN site s ON s.name = t.site
LEFT JOIN project p ON p.id = t.project_id
