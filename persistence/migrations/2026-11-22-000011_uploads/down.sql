DROP FUNCTION uploads_reserve;
DROP TABLE uploads;
