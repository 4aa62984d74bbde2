select vintage_id, stage, stage_basis, known_by, publication_id from {{ ref('int_confirmations') }}
