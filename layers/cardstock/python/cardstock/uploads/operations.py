"""How the API document names and introduces the routes of the uploads area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "uploads",
        "Uploads",
        "上传",
        "Files that go to the store of files by a signed form, and are private until a product is published.",
        "图片和文件通过签名表单直接上传到文件存储，商品发布前均为私有。",
        {
            "POST /v1/uploads": Operation("askUpload", "Ask for an upload", "申请上传"),
            "GET /v1/uploads/{upload_id}": Operation("getUpload", "Get an upload", "查看上传"),
            "GET /v1/headquarters/uploads/{upload_id}": Operation(
                "getMembersUpload", "Get a member's upload", "总部：查看会员上传"
            ),
        },
    ),
)
PATH_VALUES: Final = {"upload_id": PathValue("upl_01kbdxdh50fcazdjhcnqh2rzv5", "One of the caller's uploads.")}
