"""What a member reads of each purpose before agreeing. Whoever changes a text raises the purpose's version
(`ConsentVersions`), which asks every member again.

Source: Personal Information Protection Law (PIPL), articles 13, 14, 17, 23, 24, 28 and 29; E-Commerce Law 31;
Implementation Rules of the Tax Collection Law 29.
"""

from collections.abc import Mapping
from typing import Final

from cardstock.members.consent_model import Notice, Purpose, Terms

TERMS: Final[Mapping[Purpose, Terms]] = {
    "account": Terms(
        basis="contract",
        articles="13(1)(2), 17",
        withdrawable=False,
        zh=Notice(
            title="账号与购物",
            what="平台账号标识、手机号、昵称、出生年份、进入场景，订单、收货人、付款与退款，支付协议，付款人和设备的标记（不可还原的摘要），"
            "奖励及推荐关系，您在名片上填写的内容（如姓名、电话、邮箱、地址），您上传的图片和文件。"
            "仅限年满 14 周岁的人使用。",
            why="登录、下单、发货、付款、退款，计算和发放奖励，以及识别同一人用多个账号套取奖励。",
            to_whom="登录平台（微信、支付宝、抖音、百度）收到登录码和手机号授权码；供应商收到收货人和所购商品；支付机构收到付款信息；"
            "推荐人看到所带来订单的编号和奖励。",
            how_long="账号注销前；交易记录在注销后至少保存三年，涉税记录保存十年。",
            how_withdrawn="注销账号。",
            kept="交易、账务和涉税记录按法定期限保存，期限内只存储。",
        ),
        en=Notice(
            title="Account and shopping",
            what="Platform account, telephone number, nickname, year of birth, the scene by which you came; orders, "
            "receivers, payments and refunds; payment agreements; marks of payers and devices (digests that do not "
            "give them back); rewards and the place in the referral network; what you write on a card (such as name, "
            "telephone number, e-mail, address); pictures and files that you upload. Only for people of 14 or older.",
            why="To log in, order, deliver, pay and refund, to compute and pay rewards, and to see when one person "
            "takes rewards through several accounts.",
            to_whom="Login platforms (WeChat, Alipay, Douyin, Baidu) get the codes of log-ins and of telephone "
            "numbers. Suppliers get the receiver and what was bought; payment companies get the payment; a "
            "referrer sees the ids of orders that earned, and the rewards.",
            how_long="Until the account is closed; records of transactions three years longer, records of tax ten.",
            how_withdrawn="Close the account.",
            kept="Records of transactions, money and tax are kept for the term of the law, and only stored.",
        ),
    ),
    "card_visits": Terms(
        basis="separate_consent",
        articles="13(1)(1), 23",
        withdrawable=True,
        zh=Notice(
            title="名片访问记录",
            what="登录后打开名片的时间、次数和停留秒数，以及您的昵称。",
            why="让名片主人知道谁看过名片，以便联系。",
            to_whom="该名片的主人。",
            how_long="每张名片只保留最近十六位访客；同意期间可见。",
            how_withdrawn="随时在同意设置中撤回，下一次请求起不再显示，新的访问只计为匿名。",
            kept="名片的总次数和总秒数不含姓名，予以保留；再次同意后，尚存的旧记录重新显示。",
        ),
        en=Notice(
            title="Visits of cards",
            what="When, how often and how long you open a card while logged in, and your nickname.",
            why="To let the card's owner know who has looked at it, and get in touch.",
            to_whom="The owner of the card.",
            how_long="A card keeps its last sixteen visitors; they are shown while you agree.",
            how_withdrawn="At any time in the consents: hidden from the next request on, and new visits are anonymous.",
            kept="A card's sums of views and seconds name nobody, and stay. Earlier visits that are still there are "
            "shown again if you agree again.",
        ),
    ),
    "recommendations": Terms(
        basis="consent",
        articles="13(1)(1), 24",
        withdrawable=True,
        zh=Notice(
            title="个性化推荐",
            what="您最近一年的购买记录。",
            why="推荐您可能需要的商品，并说明理由。",
            to_whom="若商城接入了语言模型服务，推荐的商品和理由会发给它排序和措辞，不含您的身份。",
            how_long="同意期间；每晚重新计算，最长十三个月。",
            how_withdrawn="随时在同意设置中撤回，之后只推荐热销商品和与所看商品常一起购买的商品。",
            kept="推荐记录立即删除；订单本身为履行合同而保存，商品间的统计不含个人。",
        ),
        en=Notice(
            title="Personal recommendations",
            what="What you bought within the last year.",
            why="To recommend products that you may need, with the reason.",
            to_whom="If the shop uses a language model, the products and reasons are sent there to be sorted and "
            "worded, without saying whose they are.",
            how_long="While you agree; computed anew each night, thirteen months at most.",
            how_withdrawn="At any time in the consents: then only popular products are recommended, and what is "
            "bought together with the products you look at.",
            kept="What was learnt of you is deleted at once. Orders stay because of the contract; sums over "
            "products name nobody.",
        ),
    ),
    "identity_check": Terms(
        basis="separate_consent",
        articles="13(1)(1), 28, 29",
        withdrawable=True,
        zh=Notice(
            title="实名核验",
            what="姓名、居民身份证号码和其中的出生日期（敏感个人信息）。",
            why="核验身份和年龄；奖励发放须实名扣税。",
            to_whom="实名核验服务；税务机关收到代扣代缴信息。",
            how_long="身份证号码不保存，只保存加盐哈希、掩码和出生日期；有过发放的，涉税记录保存十年。",
            how_withdrawn="随时在同意设置中撤回，之后不再核验，也不再发放奖励，直到再次同意。",
            kept="已核验的姓名、出生日期、号码掩码和哈希在账号注销前予以保留，以识别同一人；"
            "若有过发放，其涉税记录须保存十年（税收征收管理法实施细则第 29 条）。",
        ),
        en=Notice(
            title="Identity check",
            what="Real name, resident identity number and the date of birth in it (sensitive personal information).",
            why="To check who you are and your age; rewards are paid less tax, which needs the real name.",
            to_whom="The identity service; the tax authority gets what was withheld.",
            how_long="The number is not stored, only a salted hash, a mask and the date of birth; after a payout, "
            "records of tax for ten years.",
            how_withdrawn="At any time in the consents: then nothing is checked and no reward is paid until you "
            "agree again.",
            kept="The name, the date of birth, the masked number and the hash of the check stay until the account is "
            "closed, because one person must be recognised. If you were paid, the records of tax are kept for ten "
            "years (Implementation Rules of the Tax Collection Law, article 29).",
        ),
    ),
    "bank_account": Terms(
        basis="separate_consent",
        articles="13(1)(1), 28, 29",
        withdrawable=True,
        zh=Notice(
            title="收款银行账户",
            what="户名、银行账号、开户行（敏感个人信息）。",
            why="把奖励付到您的银行账户。",
            to_whom="付款银行；账号加密保存，界面只显示后四位。",
            how_long="同意期间，直到更换账户；已付款的明细保存十年。",
            how_withdrawn="随时在同意设置中撤回，账户立即删除，之后不能付款到银行账户。",
            kept="已发出或正在进行的付款保留其收款账户：付款凭证和涉税记录须保存十年（税收征收管理法实施细则第 29 条"
            "）。",
        ),
        en=Notice(
            title="Bank account",
            what="Holder, account number, bank and branch (sensitive personal information).",
            why="To pay rewards to your bank account.",
            to_whom="The paying bank. The number is stored encrypted, and shown with four digits only.",
            how_long="While you agree, until another account takes its place; lines of payouts for ten years.",
            how_withdrawn="At any time in the consents: the account is deleted at once, and nothing can be paid to "
            "a bank.",
            kept="A payout that was sent or is under way keeps its own copy of the account: vouchers and records of "
            "tax are kept for ten years (Implementation Rules of the Tax Collection Law, article 29).",
        ),
    ),
}

NEVER_VERIFIED: Final = {
    "zh": "您没有核验过身份，没有保存任何身份信息。",
    "en": "You were never verified: nothing of an identity is stored.",
}
"""What stays after `identity_check` was withdrawn by a member who has no verified identity, by language."""
