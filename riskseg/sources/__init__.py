"""Sources: what riskseg.toml names, found, described and fingerprinted.

Each kind of source is one class in one module behind the port of `sources/reader.py`. A new kind is
written there and registered here.
"""

from riskseg.sources.csv_files import CsvFiles
from riskseg.sources.database import DatabaseRows
from riskseg.sources.excel import ExcelFiles
from riskseg.sources.fixed_width import FixedWidthFiles
from riskseg.sources.parquet import ParquetFiles
from riskseg.sources.reader import register
from riskseg.sources.remote_files import RemoteFiles
from riskseg.sources.select import Select

# In the order in which they are asked whether a `from` is theirs.
for _kind in (
    DatabaseRows,
    RemoteFiles,
    Select,
    FixedWidthFiles,
    ParquetFiles,
    CsvFiles,
    ExcelFiles,
):
    register(_kind)
