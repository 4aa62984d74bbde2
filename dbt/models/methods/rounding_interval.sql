{{ config(materialized='table_macro', kind='scalar', parameters='text') }}
-- What a printed number stands for: struct(lower, upper), null where open; null where the text is no number. The grammar is that of the
-- reader (`intake/numbers.py`; a test holds the two together) without Chinese numerals: 三百二十 is null. The unit printed is the unit of
-- the bounds (5.36万亿元 → in 万亿元); a bare 万, 亿, million … multiplies.
{% raw %}
list_transform(list_transform(list_transform(list_transform(list_transform(list_transform(list_transform(
    -- typography: footnote marks out, widths, dashes and traditional forms folded, each run of space one blank
    [trim(regexp_replace(translate(
        regexp_replace(regexp_replace(regexp_replace(text::varchar,
            '([0-9０-９%％‰)）])([⁰¹²³⁴-⁹]+)', '\1' || chr(57344), 'g'), '(?:[*＊※†‡§]+|[①-⑳⑴-⒇㉑-㉟㊱-㊿❶-❿➀-➉]|[\[［【〔](?:注|註)?[0-9０-９]{1,2}[\]］】〕]|[(（](?:注|註)[0-9０-９]{0,2}[)）]|(?:注|註)[0-9０-９]{1,2})', chr(57344), 'g'), '[\p{Cf}\x00-\x08\x0e-\x1f\x7f]', '', 'g'),
        '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～〇○◯‐‑‒–—―−─━﹘⁃〜∼˜∶︰꞉億萬標準個臺檯輛戶點幣噸畝餘約過達長減漲兩條項時間內後終計預較數總佔擴縮負幾歲棟隻註將為來從與無車櫃節',
        '!"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~000-----------~~~:::亿万标准个台台辆户点币吨亩余约过达长减涨两条项时间内后终计预较数总占扩缩负几岁栋只注将为来从与无车柜节'), '[\s\p{Z}]+', ' ', 'g'))],
    lambda folded: case when not regexp_matches(folded, '[0-9.,] ?\x{E000}+ ?[0-9.,]') then trim(replace(folded, chr(57344), '')) end),
    lambda folded: {
        'inside': regexp_extract(folded, '^\( ?(?P<num>[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]+)?|[0-9.,]*[0-9][0-9.,]*) ?(?P<inside>[%‰])?\) ?(?P<outside>[%‰])?$', 1),
        'part': regexp_extract(folded, '(?i)^(?:(?:同比|(?:比|较)(?:上年同期|去年同期|上年|去年)))? ?(?:为|达到|达)? ?(?P<lead1>approximately|surpassing|more\ than|exceeding|surpassed|less\ than|at\ least|close\ to|exceeds|at\ most|approx\.|roughly|around|approx|nearly|almost|above|below|under|up\ to|about|over|不低于|不少于|不小于|不超过|不高于|不大于|不多于|超过|超出|突破|高于|多于|大于|至少|>=|不足|低于|少于|小于|至多|最多|不到|<=|大约|约为|大概|将近|接近|超|逾|>|≥|≧|<|≤|≦|约|≈|\~|近)? ?(?P<direction>increased\ by|decreased\ by|rose\ by|grew\ by|fell\ by|minus|rose|grew|down|fell|增长|上升|提高|增加|上涨|多增|up|下降|减少|降低|回落|下跌|下滑|缩减|少增|增|升|多|高|减|降|少|低|负)?了? ?(?:达到|达)? ?(?P<lead2>approximately|surpassing|more\ than|exceeding|surpassed|less\ than|at\ least|close\ to|exceeds|at\ most|approx\.|roughly|around|approx|nearly|almost|above|below|under|up\ to|about|over|不低于|不少于|不小于|不超过|不高于|不大于|不多于|超过|超出|突破|高于|多于|大于|至少|>=|不足|低于|少于|小于|至多|最多|不到|<=|大约|约为|大概|将近|接近|超|逾|>|≥|≧|<|≤|≦|约|≈|\~|近)? ?(?P<sign>[+-])? ?(?P<num>[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]+)?|[0-9.,]*[0-9][0-9.,]*) ?(?P<trail1>余|多|\+)? ?(?P<places>[十百千万亿]{0,2}) ?(?P<inner>余|多)?(?P<unit>%|‰|[\p{Han}A-Za-z$¥€/²³·][\p{Han}A-Za-z$¥€/²³· ]{0,29}?)?? ?(?P<trail2>or\ more|及以上|及以下|以上|以下|以内|之内|左右|上下|前后|余|多|超|\+|许)?$', ['lead1', 'direction', 'lead2', 'sign', 'num', 'trail1', 'places', 'inner', 'unit', 'trail2'])}),
    lambda read: {
        -- brackets are a minus: (3.2)%
        'num': replace(trim(coalesce(nullif(read.inside, ''), read.part.num)), ' ', ''),
        'sign': case when read.inside <> '' then '-' else read.part.sign end,
        'unit': trim(read.part.unit),
        'places': trim(read.part.places),
        'multiple': trim(read.part.direction) <> '' and trim(read.part.places) || trim(read.part.unit) = '倍',
        'falls': lower(trim(read.part.direction)) in ('decreased by', 'fell by', 'minus', 'down', 'fell', '下降', '减少', '降低', '回落', '下跌', '下滑', '缩减', '少增', '减', '降', '少', '低', '负'),
        'words': list_distinct(list_filter(list_transform(
            [read.part.lead1, read.part.lead2, read.part.trail1, read.part.inner, read.part.trail2],
            lambda word: case
                when lower(trim(word)) in ('surpassing', 'more than', 'exceeding', 'surpassed', 'at least', 'exceeds', 'or more', 'above', 'over', '不低于', '不少于', '不小于', '及以上', '超过', '超出', '突破', '高于', '多于', '大于', '至少', '>=', '以上', '超', '逾', '>', '≥', '≧', '余', '多', '超', '+') then 'over'
                when lower(trim(word)) in ('less than', 'at most', 'below', 'under', 'up to', '不超过', '不高于', '不大于', '不多于', '及以下', '不足', '低于', '少于', '小于', '至多', '最多', '不到', '<=', '以下', '以内', '之内', '<', '≤', '≦') then 'below'
                when lower(trim(word)) in ('approximately', 'approx.', 'roughly', 'around', 'approx', 'about', '大约', '约为', '大概', '左右', '上下', '前后', '约', '≈', '~', '许') then 'about'
                when lower(trim(word)) in ('close to', 'nearly', 'almost', '将近', '接近', '近') then 'nearly' end), lambda word: word is not null))}),
    lambda read: {
        'digits': case
            when regexp_matches(read.num, '^(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)$') then read.num
            when regexp_matches(read.num, '^[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?$') then replace(read.num, ',', '')
            when regexp_matches(read.num, '^[0-9]+,[0-9]+$') or regexp_matches(read.num, '^[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+$') then replace(replace(read.num, '.', ''), ',', '.') end,
        'scale': case
            when read.unit = '' and read.places = '' then 0
            when read.unit = '' then map {'十': 1, '百': 2, '千': 3, '万': 4, '十万': 5, '百万': 6, '千万': 7, '亿': 8, '十亿': 9, '百亿': 10, '千亿': 11, '万亿': 12, 'thousand': 3, 'million': 6, 'billion': 9, 'trillion': 12}[read.places]
            when read.places = '' and lower(read.unit) in ('thousand', 'million', 'billion', 'trillion') then map {'十': 1, '百': 2, '千': 3, '万': 4, '十万': 5, '百万': 6, '千万': 7, '亿': 8, '十亿': 9, '百亿': 10, '千亿': 11, '万亿': 12, 'thousand': 3, 'million': 6, 'billion': 9, 'trillion': 12}[lower(read.unit)]
            else 0 end,
        'sign': case when read.falls or read.sign = '-' then -1 else 1 end,
        'qualifier': case
            when not read.falls or read.words[1] = 'about' then read.words[1]
            when read.words[1] = 'below' then 'over'
            when read.words[1] = 'over' then 'below'
            -- a fall of nearly 3 is a value above −3
            when read.words[1] = 'nearly' then 'over' end,
        'unreadable': len(read.words) > 1 or read.multiple or (read.falls and read.sign <> '') or regexp_matches(read.unit, '(?i)[零一二三四五六七八九两增降减升涨跌超约近逾至到以]|分之|成|同比|环比|不足|\b(?:over|about|nearly|more|less|than|up|down|and|or|to|of|inf|nan)\b')
            -- 超-3 may mean above or beyond −3
            or (not read.falls and read.sign = '-' and coalesce(read.words[1], 'about') <> 'about')}),
    lambda read: case when not read.unreadable and read.scale is not null and length(ltrim(replace(read.digits, '.', ''), '0')) <= 18 then {
        'qualifier': read.qualifier,
        'mantissa': read.sign * coalesce(try_cast(replace(read.digits, '.', '') as bigint), 0),
        'exponent': read.scale - length(split_part(read.digits, '.', 2)),
        -- half the width in units of the last digit, doubled: 约7600 rounds to hundreds
        'width': case when read.qualifier = 'about' then 2 * pow(10.0, case when contains(read.digits, '.') then 0
            else length(ltrim(read.digits, '0')) - length(rtrim(ltrim(read.digits, '0'), '0')) end) else 1 end} end),
    lambda read: case when read.mantissa is not null then {
        'lower': 2 * read.mantissa - case read.qualifier when 'below' then null when 'nearly' then null when 'over' then 0 else read.width end,
        'upper': 2 * read.mantissa + case read.qualifier when 'below' then 0 when 'nearly' then 0 when 'over' then null else read.width end,
        'exponent': read.exponent} end),
    -- one division or multiplication by an exact power of ten
    lambda twice: case when twice is not null then {
        'lower': case when twice.exponent > 0 then twice.lower * (5 * pow(10.0, twice.exponent - 1)) else twice.lower / (2 * pow(10.0, -twice.exponent)) end,
        'upper': case when twice.exponent > 0 then twice.upper * (5 * pow(10.0, twice.exponent - 1)) else twice.upper / (2 * pow(10.0, -twice.exponent)) end} end)[1]
{% endraw %}
