-- Which currency a region bills in is a rule like the others.
ALTER TABLE price_aliases
    COMMENT COLUMN IF EXISTS field 'model, variant (service tier and speed), region, host (region of an address), currency (what a region bills in where it is not USD) or hour (variant of a model at a half hour of the day, UTC)'
