"""Words of shops that mean the same, in English and Chinese: data.

A query for one word of a group finds the others too, at a lower weight. A merchant's own groups can be given beside
these.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from cardstock.search.analysis import chunks, fold

GROUPS: Final = """
cup, mug, 杯子, 水杯, 马克杯
glass, 玻璃
tumbler, beaker, 玻璃杯
thermos, vacuum flask, insulated bottle, insulated cup, 保温杯, 保温壶
bottle, flask, 瓶子, 水壶
teapot, 茶壶
kettle, 烧水壶, 热水壶, 电热水壶
tea, 茶叶
tea set, teaware, 茶具, 茶器
tea towel, dish cloth, 茶巾, 抹布
tea cosy, tea cozy, tea warmer, mug cosy
green tea, 绿茶
black tea, 红茶
oolong, 乌龙茶
herbal tea, flower tea, 花茶, 花草茶
coffee, 咖啡
milk powder, formula, 奶粉
plate, dish, 盘子, 碟子
bowl, 碗具
saucer, coaster, 杯垫
knife, 刀具
cutlery, tableware, flatware, 餐具
chopstick, 筷子
pan, saucepan, cookware, 锅具
frying pan, skillet, 平底锅, 煎锅
colander, strainer, sieve, 滤网, 漏勺
chopping board, cutting board, 砧板, 菜板, 案板
lunch box, bento, 饭盒, 便当盒
oven glove, oven mitt, 隔热手套
scale, weighing scale, 电子秤
spoon, ladle, 勺子
tray, 托盘
storage, organiser, organizer, 收纳
box, case, container, 盒子
tin, can, canister, 罐子
jar, pot, 罐
basket, hamper, 篮子
bin, trash can, 垃圾桶
bag, 包包
backpack, rucksack, knapsack, 双肩包, 背包, 书包
handbag, tote, 手提包, 托特包
shopper, shopping bag, tote, 购物袋
purse, wallet, 钱包
pouch, 小包, 收纳袋
suitcase, luggage, 行李箱, 拉杆箱
laptop bag, computer bag, 电脑包
cosmetic bag, makeup bag, toiletry bag, wash bag, 化妆包, 洗漱包
makeup, cosmetic, 化妆品, 彩妆
skincare, skin care, 护肤
face mask, sheet mask, 面膜
face cream, 面霜
hand cream, 护手霜
lotion, moisturiser, moisturizer, 乳液, 润肤露
cleanser, face wash, 洁面, 洗面奶
toner, 爽肤水, 化妆水
serum, essence, 精华
shampoo, 洗发水
body wash, shower gel, 沐浴露
soap, 香皂, 肥皂
toothbrush, 牙刷
sunscreen, sun cream, sunblock, 防晒霜, 防晒
lipstick, 口红, 唇膏
perfume, fragrance, 香水
scented, aroma, fragrance, 香薰
incense, joss stick, 线香
candle, 蜡烛
candlestick, candle stick, candle holder, candleholder, candle stand, candlestand, 烛台
tealight, t light, tea light, nightlight, night light
lamp, light, 台灯, 灯具
lantern, 灯笼, 提灯
torch, flashlight, 手电筒
umbrella, parasol, brolly, 雨伞, 太阳伞
tent, 帐篷
canopy, tarp, awning, 天幕
sleeping bag, 睡袋
camping, outdoor, 露营, 户外
chair, stool, seat, 椅子, 凳子
table, desk, 桌子
cabinet, cupboard, 柜子
drawer, 抽屉
shelf, rack, 置物架, 架子
cushion, pillow, 抱枕, 枕头, 靠垫
pillowcase, pillow case, cushion cover, 枕套
blanket, throw, 毯子, 毛毯
towel, flannel, 毛巾, 浴巾
quilt, duvet, comforter, 被子
bedding, bed sheet, 床品, 床单, 四件套
curtain, drape, 窗帘
rug, mat, carpet, 地毯, 地垫
doormat, door mat, welcome mat, 门垫
clock, 时钟, 挂钟
alarm clock, 闹钟
watch, 手表
mirror, 镜子
compact mirror, pocket mirror, 化妆镜, 随身镜
frame, 相框
photo frame, picture frame, 相框
photo, picture, photograph, 照片
notebook, jotter, journal, notepad, 笔记本, 手账
diary, planner, 日记本
eraser, rubber, 橡皮
pen, 钢笔, 圆珠笔, 中性笔
pencil, 铅笔
pencil case, pen case, 笔袋
scissor, shears, 剪刀
ruler, tape measure, measuring tape, 尺子, 卷尺
stationery, 文具
sticker, decal, 贴纸
tape, 胶带
envelope, 信封
wrapping paper, gift wrap, wrap, 包装纸
ribbon, bow, 丝带
greeting card, card, 贺卡
tag, label, 标签
bunting, garland, pennant, 彩旗
wreath, garland, 花环
ornament, decoration, figurine, 摆件, 装饰
sign, plaque, 标牌
magnet, 冰箱贴
toy, 玩具
soft toy, plush, cuddly toy, teddy, 毛绒玩具
doll, dolly, 娃娃, 玩偶
puzzle, jigsaw, 拼图
board game > ludo, chess, domino, bingo, draughts, checkers, snake ladder, backgammon, solitaire, 桌游
game > puzzle, jigsaw, domino, bingo, ludo, skittle, quoits
playing card, card game, 扑克
dinosaur, dino, 恐龙
balloon, 气球
crayon, chalk, 蜡笔
baby, infant, newborn, 婴儿, 宝宝
wipe, wet wipe, 湿巾
nappy, diaper, 尿布, 纸尿裤
bib, 围兜
mother, mum, mom, mummy, mommy, 妈妈, 母亲
father, dad, daddy, 爸爸, 父亲
grandma, granny, grandmother, 奶奶
grandpa, grandad, grandfather, 爷爷
wife, girlfriend, 女友, 女朋友, 妻子, 老婆
husband, boyfriend, 男友, 男朋友, 丈夫, 老公
woman, lady, female, 女士, 女款
man, gentleman, male, 男士, 男款
child, kid, junior, 儿童, 孩子, 小孩
girl, 女孩
boy, 男孩
elderly, senior, 老人, 长辈, 爷爷, 奶奶
pet, 宠物
pet > dog, cat, puppy, kitten, 猫, 犬, 狗
dog, puppy, doggy, 狗狗, 犬用, 犬
cat, kitten, kitty, 猫咪, 猫用
leash, lead, harness, 牵引绳
litter, 猫砂
bird, birdy, 鸟
rabbit, bunny, 兔子
butterfly, 蝴蝶
gift, present, 礼物, 礼品, 礼盒
christmas, xmas, 圣诞
birthday, 生日
wedding, bridal, 婚礼
party, celebration, 派对
valentine, 情人节
spring festival, chinese new year, 春节, 年货
mid autumn, moon festival, 中秋
snack, nibble, 零食
biscuit, cookie, 饼干
sweet, candy, 糖果
chocolate, choc, 巧克力
nut, 坚果
dried fruit, 果干, 蜜饯
jerky, dried meat, 肉干, 牛肉干
noodle, pasta, 面条
honey, 蜂蜜
jam, preserve, marmalade, 果酱
cake, pastry, 糕点, 点心
baking, bakeware, 烘焙
fan, 风扇, 电风扇
heater, warmer, 取暖器, 暖风机
charger, 充电器
power bank, portable charger, 充电宝, 移动电源
earphone, headphone, earbud, 耳机
hair dryer, hairdryer, 吹风机, 电吹风
hair clip, hairclip, hair grip, hair slide, barrette, 发夹
hair band, headband, scrunchie, 发圈, 发箍
rice cooker, 电饭煲, 电饭锅
blender, juicer, mixer, 榨汁机, 搅拌机, 料理机
humidifier, 加湿器
vacuum cleaner, hoover, 吸尘器
calculator, 计算器
apron, 围裙
glove, mitt, mitten, 手套
scarf, shawl, 围巾, 丝巾
hat, cap, beanie, 帽子
sock, 袜子
slipper, flip flop, 拖鞋
shoe, sneaker, trainer, 鞋子
shirt, top, 衬衫, 上衣
raincoat, poncho, 雨衣
jewellery, jewelry, trinket, 首饰, 饰品
necklace, pendant, 项链
earring, 耳环, 耳钉
ring, 戒指
bracelet, bangle, 手链, 手镯
brooch, pin, 胸针
keyring, key ring, keychain, key chain, key fob, 钥匙扣
hook, hanger, peg, 挂钩
doorstop, door stop, 门挡
vase, 花瓶
flower, floral, 花朵, 鲜花
garden, gardening, 花园, 园艺
planter, plant pot, flower pot, flowerpot, 花盆
watering can, 洒水壶, 浇水壶
windchime, wind chime, chime, 风铃
bell, 铃铛
kitchen, 厨房
bathroom, bath, 浴室, 卫浴
bedroom, 卧室
living room, lounge, 客厅
summer, 夏天, 夏季, 夏
winter, 冬天, 冬季, 冬
cool, cooling, 清凉, 凉爽, 凉快, 冰凉
warm, thermal, 保暖
travel, trip, 旅行, 出差, 便携
picnic, 野餐
hiking, trekking, 徒步, 登山
sport, gym, fitness, 运动, 健身
commute, work, 通勤
business, 商务
student, school, 学生, 学校
sleep, bedtime, 助眠, 睡前, 睡眠
heart, 心形, 爱心
star, 星星
spot, spotty, polkadot, polka dot, dotted, 波点
stripe, striped, stripy, 条纹
check, checked, gingham, plaid, 格子
red, 红色
pink, rose, 粉色, 粉红色
blue, navy, 蓝色
green, 绿色
white, ivory, 白色
black, 黑色
yellow, 黄色
orange, 橙色, 橘色
purple, lilac, mauve, 紫色
grey, gray, 灰色
brown, 棕色, 褐色
beige, cream, 米色, 米白
gold, golden, 金色
silver, 银色
clear, transparent, 透明
large, big, jumbo, giant, 大号, 大容量
small, mini, little, 小号, 迷你
set, pack, kit, 套装
assorted, mixed, asstd
ceramic, porcelain, pottery, china, 陶瓷, 瓷器
stainless steel, 不锈钢
cast iron, 铸铁
wood, wooden, timber, 木质, 实木, 木
bamboo, 竹制, 竹
cotton, 纯棉, 棉质, 棉
linen, 亚麻
silk, 真丝, 蚕丝
wool, woollen, knitted, knit, crochet, 羊毛, 针织
leather, 皮革, 真皮
plastic, 塑料
silicone, 硅胶
metal, 金属
enamel, 珐琅
wicker, rattan, 藤编
folding, foldable, collapsible, 折叠
vintage, retro, antique, 复古
portable, 便携
waterproof, 防水
rechargeable, 充电
quiet, silent, 静音
sugar free, 无糖
caffeine free, decaf, 无咖啡因
organic, 有机
handmade, 手工
"""
"""A line is a group of equals, or a word and, behind `>`, kinds of it that only the word finds."""

PREPOSITIONS: Final = frozenset(["for", "with", "in", "on", "to", "from", "by", "at"])
"""What stands behind one of these says something of the thing, not what it is."""
_FILLERS: Final = """
a an and any are as be buy can could do find get give good have help hold i is it keep like looking make me my need nice
of or our please put see show some something that the thing this use want wanted we would you your
"""
FILLERS: Final = PREPOSITIONS | frozenset(_FILLERS.split())
"""Words of a wish that say nothing of the product."""
VAGUE: Final = frozenset(["gift", "present", "idea", "item", "product", "stuff", "accessory", "礼物", "礼品", "用品"])
"""Words that say little of what the thing is."""
HAN_FILLERS: Final = (
    "有没有", "我想要", "我想买", "东西", "好物", "想要", "想买", "我要", "推荐", "请问", "一个", "一些", "一款",
    "一只", "什么", "哪种", "适合", "可以", "用的", "送给", "的", "给", "送", "和", "与", "及", "吗", "呢", "啊", "了",
    "买", "找",
)  # fmt: skip
"""The same in Chinese, long ones first."""


def key_of(word: str) -> str:
    """A word or phrase as groups know it."""
    return " ".join([chunk.text if chunk.is_han else " ".join(chunk.parts) for chunk in chunks(fold(word))])


def table_of(groups: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Word -> the other words of its groups."""
    table: dict[str, tuple[str, ...]] = {}
    for group in groups:
        wider, _, kinds = group.partition(">")
        names = [key_of(word) for word in wider.split(",")]
        words = [key_of(word) for word in kinds.split(",")] if kinds else names
        for word in names:
            others = [each for each in words if each != word and each not in table.get(word, ())]
            table[word] = (*table.get(word, ()), *others)
    return table


@cache
def shop_words() -> Mapping[str, tuple[str, ...]]:
    """The table of `GROUPS`."""
    return table_of(line for line in GROUPS.splitlines() if line.strip())
