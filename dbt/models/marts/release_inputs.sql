select kind, path, sha256, bytes from {{ source('ledger', 'release_inputs') }}
