"""A file looked at before anything is loaded: what the seeds know (``known``), what the sheet seems to be (``guess``), a draft layout
(``draft``), the inspection as data (``look``), shown on the terminal (``tell``) or as a page (``page``). Reading for the ledger needs none of it.
"""
