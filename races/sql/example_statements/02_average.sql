-- title: Average speed of each driver
-- about: An aggregate changes with every record: the old row is taken back (-U), the new one follows (+U).
SELECT `driver_code`, COUNT(*) AS `records`, ROUND(AVG(`speed`), 2) AS `avg_kmh`
FROM `${positions}`
GROUP BY `driver_code`;
