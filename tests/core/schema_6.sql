CREATE TABLE meta (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE site (
	name TEXT NOT NULL, 
	cursor TEXT, 
	mapping TEXT, 
	pulled_at BIGINT, 
	proven_at BIGINT, 
	today INTEGER, 
	today_w INTEGER, 
	yesterday_w INTEGER, 
	trouble TEXT, 
	worklogs_observed INTEGER DEFAULT 1 NOT NULL, 
	allocations_observed INTEGER DEFAULT 1 NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE scope (
	site TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	observed INTEGER DEFAULT 0 NOT NULL, 
	why TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (site, scope)
);
CREATE TABLE record (
	id INTEGER NOT NULL, 
	site TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	rid TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	url TEXT NOT NULL, 
	version TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	body TEXT NOT NULL, 
	gone INTEGER DEFAULT 0 NOT NULL, 
	dirty INTEGER DEFAULT 1 NOT NULL, 
	history TEXT, 
	fate TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (site, kind, rid)
);
CREATE INDEX record_dirty ON record (dirty) WHERE dirty = 1;
CREATE TABLE record_scope (
	record_id INTEGER NOT NULL, 
	scope TEXT NOT NULL, 
	PRIMARY KEY (record_id, scope)
);
CREATE INDEX record_scope_scope ON record_scope (scope);
CREATE TABLE project (
	id INTEGER NOT NULL, 
	uid TEXT NOT NULL, 
	site TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	url TEXT NOT NULL, 
	title TEXT, 
	lead TEXT, 
	start_on INTEGER, 
	due_on INTEGER, 
	phase TEXT, 
	sponsor TEXT, 
	charter_url TEXT, 
	program TEXT, 
	portfolio TEXT, 
	archived INTEGER DEFAULT 0 NOT NULL, 
	mode INTEGER DEFAULT 0 NOT NULL, 
	offered BIGINT DEFAULT 0 NOT NULL, 
	task_offered BIGINT DEFAULT 0 NOT NULL, 
	observed INTEGER DEFAULT 1 NOT NULL, 
	seq INTEGER DEFAULT 0 NOT NULL, 
	reported_health TEXT, 
	baseline_due_on INTEGER, 
	baseline_tasks INTEGER, 
	baseline_effort_h FLOAT, 
	reported_on INTEGER, 
	team TEXT, 
	template TEXT, 
	has_brief INTEGER, 
	goals FLOAT, 
	budget_h FLOAT, 
	budget_used_h FLOAT, 
	budget_cost FLOAT, 
	budget_used_cost FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (uid)
);
CREATE TABLE container (
	record_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	site TEXT NOT NULL, 
	rid TEXT NOT NULL, 
	PRIMARY KEY (record_id), 
	UNIQUE (site, rid)
);
CREATE INDEX container_project ON container (project_id);
CREATE TABLE task (
	id INTEGER NOT NULL, 
	site TEXT NOT NULL, 
	rid TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	url TEXT NOT NULL, 
	project_id INTEGER, 
	title TEXT, 
	status TEXT, 
	type TEXT, 
	priority TEXT, 
	assignee TEXT, 
	start_on INTEGER, 
	due_on INTEGER, 
	done_on INTEGER, 
	created_at BIGINT, 
	created_day INTEGER, 
	estimate_h FLOAT, 
	spent_h FLOAT, 
	resolution TEXT, 
	parent TEXT, 
	status_mapped INTEGER, 
	offered BIGINT DEFAULT 0 NOT NULL, 
	gaps INTEGER DEFAULT 0 NOT NULL, 
	mode INTEGER DEFAULT 0 NOT NULL, 
	observed INTEGER DEFAULT 1 NOT NULL, 
	updated_at BIGINT, 
	updated_day INTEGER, 
	status_since_at BIGINT, 
	status_since_day INTEGER, 
	due_moves INTEGER, 
	reopenings INTEGER, 
	linkable INTEGER DEFAULT 1 NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (site, rid)
);
CREATE INDEX task_project_id ON task (project_id);
CREATE INDEX task_assignee ON task (site, assignee);
CREATE INDEX task_parent ON task (site, parent);
CREATE TABLE task_project (
	task_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	PRIMARY KEY (task_id, project_id)
);
CREATE INDEX task_project_project ON task_project (project_id);
CREATE TABLE person (
	id INTEGER NOT NULL, 
	site TEXT NOT NULL, 
	rid TEXT NOT NULL, 
	name TEXT, 
	email TEXT, 
	active INTEGER, 
	PRIMARY KEY (id), 
	UNIQUE (site, rid)
);
CREATE TABLE link (
	owner_id INTEGER NOT NULL, 
	site TEXT NOT NULL, 
	pred TEXT NOT NULL, 
	succ TEXT NOT NULL, 
	PRIMARY KEY (owner_id, pred, succ)
);
CREATE INDEX link_succ ON link (site, succ);
CREATE INDEX link_pred ON link (site, pred);
CREATE TABLE task_move (
	id INTEGER NOT NULL, 
	task_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	field TEXT NOT NULL, 
	"before" TEXT, 
	"after" TEXT, 
	"by" TEXT, 
	PRIMARY KEY (id)
);
CREATE INDEX task_move_task ON task_move (task_id);
CREATE TABLE allocation (
	id INTEGER NOT NULL, 
	site TEXT NOT NULL, 
	project TEXT NOT NULL, 
	person TEXT, 
	start_on INTEGER NOT NULL, 
	end_on INTEGER NOT NULL, 
	share FLOAT, 
	weekly_s FLOAT, 
	PRIMARY KEY (id)
);
CREATE INDEX allocation_project ON allocation (site, project);
CREATE TABLE gap (
	record_id INTEGER NOT NULL, 
	field TEXT NOT NULL, 
	tool_field TEXT NOT NULL, 
	value TEXT NOT NULL, 
	why TEXT NOT NULL
);
CREATE INDEX gap_record ON gap (record_id);
CREATE TABLE task_fact (
	task_id INTEGER NOT NULL, 
	assignee_active INTEGER, 
	due_w INTEGER, 
	children INTEGER NOT NULL, 
	children_open INTEGER NOT NULL, 
	children_observed INTEGER NOT NULL, 
	open_preds INTEGER NOT NULL, 
	latest_pred_due_on INTEGER, 
	preds_observed INTEGER NOT NULL, 
	in_cycle INTEGER NOT NULL, 
	cycle TEXT, 
	cycle_observed INTEGER NOT NULL, 
	logged_h FLOAT, 
	logged_on INTEGER, 
	missing_pred INTEGER, 
	missing_succ INTEGER, 
	work_w INTEGER, 
	is_work INTEGER DEFAULT 0 NOT NULL, 
	finish_w INTEGER, 
	least_w INTEGER, 
	late_w INTEGER, 
	after_w INTEGER, 
	end_w INTEGER, 
	end_least_w INTEGER, 
	network_observed INTEGER DEFAULT 1 NOT NULL, 
	PRIMARY KEY (task_id)
);
CREATE TABLE task_network (
	task_id INTEGER NOT NULL, 
	chain INTEGER NOT NULL, 
	finish_w INTEGER, 
	least_w INTEGER, 
	late_w INTEGER, 
	after_w INTEGER, 
	end_w INTEGER, 
	end_least_w INTEGER, 
	observed INTEGER DEFAULT 1 NOT NULL, 
	PRIMARY KEY (task_id)
);
CREATE INDEX task_network_chain ON task_network (chain);
CREATE TABLE project_network (
	project_id INTEGER NOT NULL, 
	due_on INTEGER, 
	critical_path_ok INTEGER, 
	PRIMARY KEY (project_id)
);
CREATE TABLE task_cycle (
	task_id INTEGER NOT NULL, 
	cycle TEXT NOT NULL, 
	observed INTEGER NOT NULL, 
	PRIMARY KEY (task_id)
);
CREATE TABLE project_fact (
	project_id INTEGER NOT NULL, 
	tasks INTEGER NOT NULL, 
	open_tasks INTEGER NOT NULL, 
	mapping_coverage FLOAT, 
	allocated_people INTEGER, 
	allocated_until_on INTEGER, 
	allocations_observed INTEGER DEFAULT 1 NOT NULL, 
	missing_logic_share FLOAT, 
	unresourced_share FLOAT, 
	critical_path_ok INTEGER, 
	due_w INTEGER, 
	end_w INTEGER, 
	end_least_w INTEGER, 
	network_observed INTEGER DEFAULT 1 NOT NULL, 
	PRIMARY KEY (project_id)
);
CREATE TABLE calendar (
	day INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	PRIMARY KEY (day)
);
CREATE TABLE standard_bit (
	standard TEXT NOT NULL, 
	bit INTEGER NOT NULL, 
	PRIMARY KEY (standard)
);
CREATE TABLE standard_state (
	standard TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	wording TEXT NOT NULL, 
	trouble TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (standard)
);
CREATE TABLE blind (
	project_id INTEGER NOT NULL, 
	standard TEXT NOT NULL, 
	fields TEXT NOT NULL, 
	PRIMARY KEY (standard, project_id)
);
CREATE TABLE verdict (
	subject TEXT NOT NULL, 
	subject_id INTEGER NOT NULL, 
	word INTEGER NOT NULL, 
	mask BIGINT NOT NULL, 
	PRIMARY KEY (subject, subject_id, word)
);
CREATE TABLE finding (
	subject TEXT NOT NULL, 
	subject_id INTEGER NOT NULL, 
	standard TEXT NOT NULL, 
	site TEXT NOT NULL, 
	state TEXT NOT NULL, 
	since INTEGER NOT NULL, 
	resolved_on INTEGER, 
	waived_until INTEGER, 
	evidence TEXT DEFAULT '{}' NOT NULL, 
	causes TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (subject, subject_id, standard)
);
CREATE INDEX finding_state ON finding (state);
CREATE TABLE event (
	id INTEGER NOT NULL, 
	day INTEGER NOT NULL, 
	subject TEXT NOT NULL, 
	subject_id INTEGER NOT NULL, 
	standard TEXT NOT NULL, 
	was TEXT NOT NULL, 
	now TEXT NOT NULL, 
	causes TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX event_subject ON event (subject, subject_id);
CREATE TABLE waiver_subject (
	about TEXT NOT NULL, 
	predicate TEXT NOT NULL, 
	subject_id INTEGER NOT NULL, 
	PRIMARY KEY (about, predicate, subject_id)
);
CREATE TABLE wanted (
	site TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	rid TEXT NOT NULL, 
	slot TEXT NOT NULL, 
	value TEXT NOT NULL, 
	place TEXT DEFAULT '' NOT NULL, 
	title TEXT DEFAULT '' NOT NULL, 
	seq INTEGER DEFAULT 0 NOT NULL, 
	PRIMARY KEY (site, subject, rid, slot)
);
CREATE TABLE mark (
	site TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	rid TEXT NOT NULL, 
	slot TEXT NOT NULL, 
	there TEXT, 
	wrote TEXT, 
	intent TEXT, 
	intent_at BIGINT, 
	written INTEGER DEFAULT 0 NOT NULL, 
	contests INTEGER DEFAULT 0 NOT NULL, 
	contest_day INTEGER, 
	why TEXT DEFAULT '' NOT NULL, 
	event_id INTEGER DEFAULT 0 NOT NULL, 
	inputs TEXT DEFAULT '' NOT NULL, 
	wrote_on INTEGER, 
	later_on INTEGER, 
	later TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (site, subject, rid, slot)
);
CREATE TABLE limitation (
	site TEXT NOT NULL, 
	project TEXT NOT NULL, 
	slot TEXT NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (site, project, slot)
);
CREATE TABLE worklog (
	id INTEGER NOT NULL, 
	site TEXT NOT NULL, 
	task TEXT NOT NULL, 
	person TEXT, 
	at BIGINT, 
	day INTEGER NOT NULL, 
	seconds FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX worklog_task ON worklog (site, task);
CREATE TABLE waiver (
	id INTEGER NOT NULL, 
	waiver TEXT NOT NULL, 
	covers TEXT NOT NULL, 
	site TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	predicate TEXT NOT NULL, 
	about TEXT NOT NULL, 
	standard TEXT NOT NULL, 
	approved_on INTEGER NOT NULL, 
	until INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	approved_by TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	PRIMARY KEY (id)
);
