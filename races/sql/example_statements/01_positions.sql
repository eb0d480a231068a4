-- title: Watch the cars
-- about: Each record as it comes: 22 cars, five times a second. Rows are only added (+I).
SELECT `driver_code`, `position`, `lap`, ROUND(`speed`, 1) AS `kmh`, `tyre`, `gap_s`
FROM `${positions}`;
