-- The roles of a PostgreSQL database, each with what it needs and no more:
--
--   dps_owner  owns the schema: `dps migrate`, `dps restore`
--   dps_app    serves: `dps serve`, `dps sweep`, `dps client`. No DDL; the log and its seals can only be added to
--   dps_read   reads everything, also what the API seals from buyers: `dps backup`, `dps audit verify`
--
-- Run it in the database as a superuser: before the first `dps migrate`, and after each `dps migrate` and `dps restore`,
-- for a table that it has not met is nobody's but its owner's. It may be run as often as one likes, while servers run too:
-- it is one transaction, so that nobody sees rights that were taken back and not given again.
--
--   psql -v ON_ERROR_STOP=1 -d dps -f deploy/postgres-roles.sql
--
-- The roles have no password: give them one (`\password dps_app`) or certificates, and let pg_hba.conf say from where.

BEGIN;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['dps_owner', 'dps_app', 'dps_read'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
    -- Whoever is not named may not even connect. `dps restore` puts a schema beside the one it replaces.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO dps_owner', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO dps_app, dps_read', current_database());
END $$;

ALTER SCHEMA public OWNER TO dps_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO dps_app, dps_read;

-- What was granted before is taken back, so that this file is all there is.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, dps_app, dps_read;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, dps_app, dps_read;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC, dps_app, dps_read;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO dps_read;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO dps_read;

DO $$
DECLARE
    found record;
    -- What is written once and never again.
    kept CONSTANT text[] := ARRAY['events', 'checkpoints'];
    -- What ends: work that is done, answers and deliveries whose time is over, secrets that are replaced.
    ending CONSTANT text[] := ARRAY[
        'timers', 'answers', 'leases', 'job_runs', 'webhook_secrets', 'webhook_progress', 'deliveries',
        'upload_chunks', 'upload_faults',
        -- Written anew with the aggregate that gives them.
        'impediments'
    ];
BEGIN
    FOR found IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('GRANT SELECT ON public.%I TO dps_app', found.name);
        -- The schema's version is for the owner to write.
        CONTINUE WHEN found.name = '__diesel_schema_migrations';
        EXECUTE format('GRANT INSERT ON public.%I TO dps_app', found.name);
        CONTINUE WHEN found.name = ANY (kept);
        EXECUTE format('GRANT UPDATE ON public.%I TO dps_app', found.name);
        IF found.name = ANY (ending) THEN
            EXECUTE format('GRANT DELETE ON public.%I TO dps_app', found.name);
        END IF;
    END LOOP;
END $$;

COMMIT;
