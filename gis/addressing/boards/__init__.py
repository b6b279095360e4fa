"""Notice boards 公示牌 of buildings and contact cards 联系卡 of workers: printed from the records, as vector PDF."""
