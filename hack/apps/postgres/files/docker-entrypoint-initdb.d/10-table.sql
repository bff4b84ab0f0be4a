CREATE TABLE squares AS SELECT n, n * n AS square FROM generate_series(1, 1000) AS n;
CREATE INDEX ON squares (square);
CREATE TABLE starts (at timestamptz DEFAULT now());
