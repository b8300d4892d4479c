-- 0042: move readings to monthly partitions
BEGIN;

CREATE TABLE reading_new (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    station_id  integer NOT NULL REFERENCES station (id),
    taken_at    timestamptz NOT NULL,
    level_cm    numeric(6, 1) NOT NULL,
    PRIMARY KEY (id, taken_at)
) PARTITION BY RANGE (taken_at);

CREATE TABLE reading_2026_01 PARTITION OF reading_new
    FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE reading_2026_02 PARTITION OF reading_new
    FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE reading_2026_03 PARTITION OF reading_new
    FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');

CREATE FUNCTION copy_month(first_day date) RETURNS integer AS $$
DECLARE
    copied integer;
BEGIN
    INSERT INTO reading_new (station_id, taken_at, level_cm)
    SELECT station_id, taken_at, level_cm
    FROM reading
    WHERE taken_at >= first_day AND taken_at < first_day + interval '1 month';
    GET DIAGNOSTICS copied = ROW_COUNT;
    RETURN copied;
END;
$$ LANGUAGE plpgsql;

COMMIT;
