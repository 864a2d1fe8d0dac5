-- What every test ends with.
RESET ROLE;
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA cache_test CASCADE;
DO 'BEGIN PERFORM public.cache_verify(); END';
