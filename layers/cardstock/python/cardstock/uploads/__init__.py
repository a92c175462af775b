"""Uploads: files that members, staff and suppliers send to the store of files, and what becomes of them.

Whoever may upload asks first, and gets a form that takes one file: exactly this key, media type and number of bytes at
most, within ten minutes. The file goes to the store, not through the API. A queue follows with what arrived: a picture
is decoded by a process of its own and made anew in three sizes, upright, without anything that the camera or the sender
put beside the pixels; a PDF or a table is kept as it is. What arrived is deleted then.

An upload:

    asked --receive--> received
    received --finish--> ready
    received --finish--> refused

The content decides, never the name: what is no picture, PDF or table is refused by a code of `errors.py` with a text in
both languages. The first content that arrives is the upload's; an upload never changes. Files are private: signed links
for a quarter of an hour, to the owner and to staff with the scope of the purpose. Publishing a product copies its
pictures and files into the public bucket, under the upload's id.

Where to look: `model.py` has the purposes, `asking.py` and `reading.py` what callers do, `receiving.py` what the queue
does, `contents.py` says what a file is, `pictures` decodes, `publishing.py` makes public, `store.py` has the table.
Members meet uploads in `flows/uploading.py`.
"""
