-- What src/text/hint.c makes of random text agrees with PostgreSQL's scanner.
-- library: test/hint/oracle.so

SET client_min_messages = error;	-- not that long identifiers are cut
CREATE FUNCTION pg_temp.hint_compare(rounds int, seed int) RETURNS text
	AS :'library' LANGUAGE C;

SELECT pg_temp.hint_compare(200000, 1);
SET standard_conforming_strings = off;
SELECT pg_temp.hint_compare(200000, 2);
