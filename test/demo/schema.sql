-- schema.sql: the demo's tables, loaded from the files of packages.pl in the
-- current directory, and the triggers that keep cached results fresh.

CREATE EXTENSION cache;
CREATE EXTENSION pg_stat_statements;	-- counts what was really executed

CREATE TABLE maintainer (id int, name text NOT NULL, email text);

CREATE TABLE package (
	id int,
	name text NOT NULL,
	version text NOT NULL,
	section text NOT NULL,
	maintainer_id int NOT NULL,
	installed_size bigint NOT NULL,		-- kB
	description text NOT NULL
);

CREATE TABLE dependency (
	package_id int NOT NULL,
	kind text NOT NULL,			-- pre-depends, depends, recommends, suggests
	position int NOT NULL,		-- in the list
	alternative int NOT NULL,	-- of "a | b"
	name text NOT NULL,
	version text,				-- such as ">= 2.36"
	depends_on int				-- null if there is no package of that name
);

\copy maintainer from maintainer.copy
\copy package from package.copy
\copy dependency from dependency.copy

ALTER TABLE maintainer ADD PRIMARY KEY (id);
ALTER TABLE package ADD PRIMARY KEY (id),
	ADD UNIQUE (name),
	ADD FOREIGN KEY (maintainer_id) REFERENCES maintainer;
ALTER TABLE dependency ADD PRIMARY KEY (package_id, kind, position, alternative),
	ADD FOREIGN KEY (package_id) REFERENCES package,
	ADD FOREIGN KEY (depends_on) REFERENCES package;
CREATE INDEX ON dependency (depends_on);

-- for visitors
CREATE VIEW most_needed AS
	SELECT p.section, p.name, count(*) AS dependents
	FROM dependency d JOIN package p ON p.id = d.depends_on
	GROUP BY p.id
	ORDER BY dependents DESC, p.name LIMIT 10;

VACUUM ANALYZE maintainer, package, dependency;

SELECT cache_attach('maintainer', '{maintainer}');
SELECT cache_attach('package', '{package}');
SELECT cache_attach('dependency', '{dependency}');
